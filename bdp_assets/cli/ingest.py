"""`bdp ingest`: a source's rows into the platform, by one of its two doors."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer()


class Door(StrEnum):
    topic = "topic"


@app.command()
def ingest(
    name: Annotated[str, typer.Argument(help="Of the source: sources/NAME.yaml in BDP_HOME.")],
    to: Annotated[Door, typer.Option(help="topic: live, by transactions-raw-v1.")],
    follow: Annotated[
        bool, typer.Option("--follow/--once", help="Go on with what comes, or end when all is sent.")
    ] = False,
) -> None:
    """Send what is new in a source, each row once: killed at any moment, run it again.

    Rows that the contract refuses become dead letters (`bdp dlq list --source-topic source:NAME`).
    """
    from bdp_assets.cli.bars import BarScreen
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import ended_by_signals, told
    from bdp_assets.cli.source_tables import summary_table
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.clients.source_database import SourceRefused, SourceUnavailable
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.operations.ingest import run
    from bdp_assets.operations.ingest.sending import IngestFailed
    from bdp_assets.pan_key import PanKeyMissing
    from bdp_assets.settings import get_settings

    del to  # there is one so far
    summary = run.Summary()
    ingest_rows = run.follow if follow else run.once
    away = (KafkaRefused, KafkaUnavailable, WarehouseUnavailable, SourceRefused, SourceUnavailable)
    try:
        with (
            told(MappingError, IngestFailed, PanKeyMissing, *away),
            ended_by_signals(),
            BarScreen() as screen,
        ):
            ingest_rows(get_settings(), name, screen, summary)
    except KeyboardInterrupt:
        typer.echo("Ended. The next run goes on from here.", err=True)
    finally:
        show(summary_table(name, summary), markup=False)
