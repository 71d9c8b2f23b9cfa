"""`bdp train`: a new model from the lake, through the registry, into service where it is not worse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def train(
    cut: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Use what was known at this midnight (UTC).")
    ] = None,
    train_days: Annotated[int, typer.Option(min=1, help="Days to fit on.")] = 28,
    test_days: Annotated[int, typer.Option(min=1, help="Days to test on, a label delay later.")] = 7,
    seed: Annotated[int, typer.Option(help="Seed of the forests.")] = 0,
) -> None:
    """Train, test and register a model; make it champion where it is not worse than the present one."""
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.steps import steps
    from bdp_assets.clients.registry import RegistryUnavailable
    from bdp_assets.operations import train_model
    from bdp_assets.scoring.bundle import BundleError
    from bdp_assets.settings import get_settings
    from bdp_assets.training.protocols import Plan, Protocol
    from bdp_assets.training.split import TrainingError

    cut_ms = int(cut.replace(tzinfo=UTC).timestamp() * 1000) if cut else None
    plan, settings = Plan(Protocol(train_days, test_days), cut_ms=cut_ms), get_settings()
    with told(TrainingError, RegistryUnavailable, BundleError), steps() as progress:
        progress(train_model.READ)
        material = train_model.of_lake(settings, plan)
        trained = train_model.train_on(settings, material, seed=seed, progress=progress)
        progress(train_model.REGISTER)
        outcome = train_model.registered(settings, trained)
    for doubt in train_model.doubts(trained, plan):
        typer.secho(f"Too good to be true? {doubt}.", fg="yellow", err=True)
    verb = "is champion" if outcome.promoted else "stays challenger"
    typer.echo(f"Version {outcome.version} {verb}: {outcome.reason}.")
