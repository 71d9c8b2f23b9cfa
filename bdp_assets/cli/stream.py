"""`bdp stream ...`: the stream's workers; `bdp topics ...`: its topics."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Run a worker of the stream.")
topics = typer.Typer(no_args_is_help=True, help="Kafka topics of the platform.")


@app.callback()
def _stream() -> None:
    """Groups the workers' commands."""


@topics.callback()
def _topics() -> None:
    """Keeps `list` a command of its own: typer folds a group that has only one."""


@app.command()
def scoring(
    slot: Annotated[int, typer.Option(min=0, help="Number of this worker; each that runs has its own.")] = 0,
) -> None:
    """Validate, enrich and score raw transactions, until SIGTERM or Ctrl+C; logs are JSON on stderr."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, ProducerFenced
    from bdp_assets.observability.logging import configure
    from bdp_assets.pan_key import PanKeyMissing
    from bdp_assets.scoring.bundle import BundleError
    from bdp_assets.settings import get_settings
    from bdp_assets.streaming.worker import run_scoring

    configure(f"scoring-{slot}")
    with told(BundleError, PanKeyMissing, KafkaUnavailable, KafkaRefused, ProducerFenced):
        run_scoring(get_settings(), slot)


@app.command()
def labels(
    slot: Annotated[int, typer.Option(min=0, help="Number of this worker; each that runs has its own.")] = 0,
) -> None:
    """Apply fraud labels to the online store, until SIGTERM or Ctrl+C; logs are JSON on stderr."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, ProducerFenced
    from bdp_assets.observability.logging import configure
    from bdp_assets.pan_key import PanKeyMissing
    from bdp_assets.settings import get_settings
    from bdp_assets.streaming.worker import run_labels

    configure(f"labels-{slot}")
    with told(PanKeyMissing, KafkaUnavailable, KafkaRefused, ProducerFenced):
        run_labels(get_settings(), slot)


@topics.command("list")
def list_topics() -> None:
    """Show each topic: partitions, offsets, and what differs from schemas/topics.yaml."""
    from rich.console import Console

    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.operations.topic_list import as_table, read_topics
    from bdp_assets.settings import get_settings

    with told(KafkaUnavailable, KafkaRefused):
        Console().print(as_table(read_topics(get_settings())))
