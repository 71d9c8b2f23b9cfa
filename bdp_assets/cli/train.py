"""`bdp train`: a new model from the lake or a file, tested, and registered where that is asked for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


class ProtocolName(StrEnum):
    default = "default"
    handbook = "handbook"


@app.command()
def train(
    data: Annotated[
        str, typer.Option(help="A .parquet, .csv or .ndjson file of transactions, or `lake`.")
    ] = "lake",
    mapping: Annotated[
        Path | None, typer.Option(help="Which columns are which, as in deploy/sources/handbook.yaml.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels: transaction_id, customer_id, is_fraud, perhaps known_at_ms.")
    ] = None,
    label_delay_days: Annotated[
        int | None,
        typer.Option(min=0, help="Days until labels of a file are known; default: BDP_LABEL_DELAY_DAYS."),
    ] = None,
    protocol: Annotated[
        ProtocolName, typer.Option(help="28, 7 and 7 days to the latest cut; or 7, 7 and 7 from --start.")
    ] = ProtocolName.default,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of training (UTC).")
    ] = None,
    cut: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Use what was known at this midnight (UTC).")
    ] = None,
    snapshot: Annotated[
        str | None,
        typer.Option(help="Read the lake as an earlier model did: `features@12 labels@3 enriched@7`."),
    ] = None,
    train_days: Annotated[int | None, typer.Option(min=1, help="Days to fit on.")] = None,
    test_days: Annotated[
        int | None, typer.Option(min=1, help="Days to test on, a label delay later.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the forests.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Folder to write the model's bundle to.")] = None,
    register: Annotated[
        bool | None,
        typer.Option(
            help="Register the model; by default that of the lake. One of a file or a --snapshot stays "
            "challenger beside a champion.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train and test a model; where it is registered and passes all gates, it becomes champion."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.steps import steps
    from bdp_assets.cli.train_tables import measured
    from bdp_assets.operations import bundle_files, train_model, train_sources
    from bdp_assets.settings import get_settings
    from bdp_assets.training.protocols import plan_of

    settings = get_settings()
    sources = train_sources.Sources(data, mapping, labels, label_delay_days, snapshot)
    with _told(), steps() as progress:
        sources.check()
        if output:
            bundle_files.check(output)
        plan = plan_of(
            protocol.value, start_ms=_ms(start), cut_ms=_ms(cut), train_days=train_days, test_days=test_days
        )
        is_to_register = sources.is_lake if register is None else register
        if is_to_register:
            train_model.ask_registry(settings)
        progress(train_model.READ)
        material = sources.material(settings, plan)
        trained = train_model.train_on(settings, material, seed=seed, progress=progress)
        show(measured(trained))
        for doubt in train_model.doubts(trained, plan):
            typer.secho(f"Too good to be true? {doubt}.", fg="yellow", err=True)
        if output:
            typer.echo(f"Bundle: {bundle_files.write(trained, output)}")
        if is_to_register:
            progress(train_model.REGISTER)
            outcome = train_model.registered(settings, trained)
            typer.echo(f"Version {outcome.version} {outcome.standing}: {outcome.reason}.")
        elif not output:
            typer.echo("The model was not kept: --output DIR writes its bundle, --register registers it.")


def _ms(day: datetime | None) -> int | None:
    return None if day is None else int(day.replace(tzinfo=UTC).timestamp() * 1000)


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.registry import RegistryUnavailable
    from bdp_assets.features.bulk.failures import BulkFailed
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing
    from bdp_assets.scoring.bundle import BundleError
    from bdp_assets.training.split import TrainingError

    return told(TrainingError, RegistryUnavailable, BundleError, BulkFailed, MappingError, HistoryMissing)
