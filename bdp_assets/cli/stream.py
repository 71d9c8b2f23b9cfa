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
    """Groups the topics' commands."""


Slot = Annotated[int, typer.Option(min=0, help="Number of this worker; each that runs has its own.")]
Workers = Annotated[int, typer.Option(min=1, help="So many processes under this one, in slots from 0.")]


@app.command()
def scoring(slot: Slot = 0, workers: Workers = 1) -> None:
    """Validate, enrich and score raw transactions, until SIGTERM or Ctrl+C; logs are JSON on stderr."""
    _work("scoring", slot, workers)


@app.command()
def labels(slot: Slot = 0, workers: Workers = 1) -> None:
    """Apply fraud labels to the online store, until SIGTERM or Ctrl+C; logs are JSON on stderr."""
    _work("labels", slot, workers)


@app.command()
def analytics(slot: Slot = 0, workers: Workers = 1) -> None:
    """Count validated transactions by windows of time, until SIGTERM or Ctrl+C; logs are JSON on stderr."""
    _work("analytics", slot, workers)


def _work(kind: str, slot: int, workers: int) -> None:
    from bdp_assets.cli.failure import told
    from bdp_assets.observability.logging import configure
    from bdp_assets.operations.crew import WorkerEnded, run_crew, worker_command

    if workers > 1:
        if slot:
            raise typer.BadParameter("--workers gives out the slots itself: leave out --slot.")
        configure(kind)
        with told(WorkerEnded):
            run_crew(workers, lambda each: worker_command(kind, each))
    else:
        configure(f"{kind}-{slot}")
        _work_alone(kind, slot)


def _work_alone(kind: str, slot: int) -> None:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, ProducerFenced
    from bdp_assets.pan_key import PanKeyMissing
    from bdp_assets.runtime import monitoring
    from bdp_assets.scoring.bundle import BundleError
    from bdp_assets.settings import get_settings
    from bdp_assets.streaming.worker import RUN

    settings = get_settings()
    outages = told(BundleError, PanKeyMissing, KafkaUnavailable, KafkaRefused, ProducerFenced)
    with outages, monitoring.announced(settings, kind, slot):
        RUN[kind](settings, slot)


@topics.command("create")
def create_topics() -> None:
    """Create the topics of schemas/topics.yaml that are missing; what is there stays as it is."""
    from bdp_assets.operations.start import create_topics
    from bdp_assets.settings import get_settings

    create_topics(get_settings())
    typer.echo("Every topic of schemas/topics.yaml is there.")


@topics.command("list")
def list_topics() -> None:
    """Show each topic: partitions, offsets, and what differs from schemas/topics.yaml."""
    from bdp_assets.cli import display
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.operations.topic_list import as_table, read_topics
    from bdp_assets.settings import get_settings

    with told(KafkaUnavailable, KafkaRefused):
        display.show(as_table(read_topics(get_settings())))
