"""`bdp ingest`: a source's rows into the platform, by one of its two doors."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bdp_assets.operations.ingest.run import Summary

app = typer.Typer()


class Door(StrEnum):
    topic = "topic"
    lake = "lake"


@app.command()
def ingest(
    name: Annotated[str, typer.Argument(help="Of the source: its entry is NAME.yaml.")],
    to: Annotated[
        Door, typer.Option(help="topic: live, by transactions-raw-v1. lake: as the past, by Dagster.")
    ],
    follow: Annotated[
        bool, typer.Option("--follow/--once", help="Go on with what comes, or end when all is sent.")
    ] = False,
) -> None:
    """Send what is new in a source, each row once: killed at any moment, run it again.

    Rows that the contract refuses become dead letters (`bdp dlq list --source-topic source:NAME`); of the
    past they are in quarantine (`bdp quarantine list`).
    """
    from bdp_assets.cli.display import show
    from bdp_assets.cli.source_tables import summary_table
    from bdp_assets.operations.ingest.run import Summary

    if follow and to == Door.lake:
        raise typer.BadParameter("the past does not go on: --follow is for --to topic")
    summary = Summary()
    try:
        if to == Door.lake:
            _to_lake(name, summary)
        else:
            _to_topic(name, summary, follow=follow)
    finally:
        show(summary_table(name, summary), markup=False)


def _to_topic(name: str, summary: Summary, *, follow: bool) -> None:
    from bdp_assets.cli.bars import BarScreen
    from bdp_assets.cli.failure import ended_by_signals, told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.clients.source_database import SourceRefused, SourceUnavailable
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.operations.ingest import run
    from bdp_assets.operations.ingest.sending import IngestFailed
    from bdp_assets.pan_key import PanKeyMissing
    from bdp_assets.settings import get_settings

    away = (KafkaRefused, KafkaUnavailable, WarehouseUnavailable, SourceRefused, SourceUnavailable)
    ingest_rows = run.follow if follow else run.once
    try:
        with (
            told(MappingError, IngestFailed, PanKeyMissing, *away),
            ended_by_signals(),
            BarScreen() as screen,
        ):
            ingest_rows(get_settings(), name, screen, summary)
    except KeyboardInterrupt:
        typer.echo("Ended. The next run goes on from here.", err=True)


def _to_lake(name: str, summary: Summary) -> None:
    from bdp_assets.cli.bars import BarScreen
    from bdp_assets.cli.failure import interruptible, told
    from bdp_assets.clients.dagster import ControlPlaneUnavailable
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.clients.redis import StoreUnavailable
    from bdp_assets.features.generations import Superseded
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing
    from bdp_assets.operations.ingest.to_lake import backfill
    from bdp_assets.settings import get_settings

    away = (
        ControlPlaneUnavailable,
        StoreUnavailable,
        KafkaUnavailable,
        KafkaRefused,
        OffsetsGone,
        Superseded,
    )
    stopped = "Stopped looking. A run goes on in Dagster: the same command looks again."
    with told(MappingError, HistoryMissing, *away), interruptible(stopped), BarScreen() as screen:
        backfill(get_settings(), name, screen, summary)
