"""`bdp features ...`: what the features are, those of whole files, and what the online store knows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class CatalogName(StrEnum):
    default = "default"
    handbook = "handbook"


class EngineName(StrEnum):
    local = "local"
    ray = "ray"


Input = Annotated[
    str, typer.Option("--input", help="A .parquet, .csv or .ndjson file of transactions, or `lake`.")
]
Output = Annotated[Path, typer.Option(help="The Parquet file to write; replaced when it is there.")]
Labels = Annotated[
    Path | None, typer.Option(help="Labels: transaction_id, customer_id, is_fraud, known_at_ms.")
]
Mapping = Annotated[
    Path | None, typer.Option(help="Which columns are which, as in deploy/sources/handbook.yaml.")
]
Catalog = Annotated[CatalogName, typer.Option(help="Ours, or the 12 that the Handbook publishes.")]
Engine = Annotated[EngineName, typer.Option(help="In this process, or on Ray (extra `scale`).")]
Rows = Annotated[
    int | None, typer.Option(min=1, help="Rows in memory at a time; default: BDP_FEATURE_BUCKET_ROWS.")
]

app = typer.Typer(no_args_is_help=True, help="Features: what they are, of whole files, and online.")


@app.command()
def describe(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As in docs/feature-catalog.md.")] = False,
) -> None:
    """Show every feature: its definition, unit and meaning."""
    import json

    from bdp_assets.cli.display import show
    from bdp_assets.cli.feature_tables import described, page
    from bdp_assets.features.catalog import CATALOG

    if as_json:
        typer.echo(json.dumps({"version": CATALOG.version, "features": CATALOG.describe()}))
    elif as_markdown:
        typer.echo(page(CATALOG), nl=False)
    else:
        show(described(CATALOG))


@app.command()
def get(
    entity: Annotated[str, typer.Argument(help="customer, merchant, or another entity of the catalog")],
    identifier: Annotated[str, typer.Argument(help="Its id.")],
    at: Annotated[
        datetime | None,
        typer.Option(help="For a transaction at this time (UTC); by default when the newest event counts."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="How many stored events or tiles to show.")] = 10,
) -> None:
    """Show the window features of a customer or merchant, and the state behind them."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.feature_tables import stored, valued
    from bdp_assets.clients.redis import StoreUnavailable, connect
    from bdp_assets.features import lookup
    from bdp_assets.features.online import OnlineStore
    from bdp_assets.settings import get_settings

    at_ms = None if at is None else int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
    with told(StoreUnavailable, lookup.UnknownEntity):
        known = lookup.look_up(OnlineStore(connect(get_settings())), entity, identifier, at_ms)
    if known is None:
        typer.secho(f"The online store knows no {entity} of this id.", fg="red", err=True)
        raise typer.Exit(1)
    show(valued(known))
    for table in stored(known, last):
        show(table)


@app.command("rebuild-online")
def rebuild_online() -> None:
    """Fill the online store anew from the lake and Kafka, beside the one that serves; stop nobody."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.clients.lake import Lake
    from bdp_assets.clients.redis import StoreUnavailable
    from bdp_assets.features.generations import Superseded
    from bdp_assets.operations.rebuild_store import rebuild_store
    from bdp_assets.settings import get_settings

    settings = get_settings()
    with told(StoreUnavailable, KafkaUnavailable, KafkaRefused, OffsetsGone, Superseded):
        result, _ = rebuild_store(settings, Lake.of(settings), reached=typer.echo)
    typer.echo(
        f"{result.events:,} events of {result.customers:,} customers and {result.tiles:,} tiles of "
        f"{result.merchants:,} merchants written in {result.seconds:.1f} s"
    )


@app.command()
def build(
    input_: Input,
    output: Output,
    labels: Labels = None,
    mapping: Mapping = None,
    catalog: Catalog = CatalogName.default,
    engine: Engine = EngineName.local,
    rows_per_bucket: Rows = None,
) -> None:
    """Write the features of every transaction of a file or the lake, whatever its size."""
    from bdp_assets.cli.feature_tables import written
    from bdp_assets.cli.progress import steps_with_counts
    from bdp_assets.operations import feature_files
    from bdp_assets.settings import get_settings

    settings = get_settings()
    sources = feature_files.Sources(input_, labels, mapping, catalog.value)
    with _told(), steps_with_counts() as progress:
        history = sources.history(settings)
        if feature_files.unlabelled(history, feature_files.CATALOGS[catalog.value]):
            typer.echo("No labels: nothing is known to be fraud, and features say so.", err=True)
        work = feature_files.Work(engine.value, rows_per_bucket, progress)
        built = feature_files.build(settings, sources, history, output, work)
    typer.echo(written(built, output))


@app.command()
def join(
    spine: Annotated[Path, typer.Option(help="Rows to ask: ids, and ts_ms or timestamp.")],
    output: Output,
    input_: Input = "lake",
    labels: Labels = None,
    mapping: Mapping = None,
    catalog: Catalog = CatalogName.default,
    engine: Engine = EngineName.local,
    rows_per_bucket: Rows = None,
) -> None:
    """Add to each row of a file what was known of its customer, merchant ... at its time."""
    from bdp_assets.cli.feature_tables import left_out, written
    from bdp_assets.cli.progress import steps_with_counts
    from bdp_assets.operations import feature_files
    from bdp_assets.settings import get_settings

    settings = get_settings()
    sources = feature_files.Sources(input_, labels, mapping, catalog.value)
    with _told(), steps_with_counts() as progress:
        asked, history = sources.spine(spine), sources.history(settings)
        if feature_files.unlabelled(history, asked.catalog):
            typer.echo("No labels: nothing is known to be fraud, and features say so.", err=True)
        work = feature_files.Work(engine.value, rows_per_bucket, progress)
        built = feature_files.join(settings, history, asked, output, work)
    for line in left_out(asked.left_out):
        typer.echo(line, err=True)
    typer.echo(written(built, output))


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.lake import TableMissing
    from bdp_assets.clients.ray import RayMissing
    from bdp_assets.features.bulk.failures import BulkFailed
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing

    return told(BulkFailed, MappingError, HistoryMissing, TableMissing, RayMissing)
