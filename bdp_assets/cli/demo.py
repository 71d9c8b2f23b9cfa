"""`bdp demo`: the whole platform from nothing, with a past, live traffic and a proof."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

_STOPPED = "Stopped looking. What runs goes on: the same command looks again, `bdp down` stops everything."


@app.command()
def demo(
    data: Annotated[Path | None, typer.Option(help="Your transactions: .parquet, .csv, .ndjson.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="How its columns map to the contract (YAML).")] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day that is history.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Days of simulated history.")] = 90,
    seconds: Annotated[float, typer.Option(min=1, help="Length of the live traffic.")] = 30,
    rate: Annotated[float, typer.Option(min=1, help="Transactions a second.")] = 150,
) -> None:
    """Start the platform, give it a past, train, serve, play live traffic, and prove that it all worked."""
    from bdp_assets.cli.demo_proof import show_proof
    from bdp_assets.cli.demo_screen import Terminal
    from bdp_assets.cli.failure import interruptible, told
    from bdp_assets.clients.dagster import ControlPlaneUnavailable
    from bdp_assets.clients.kafka import DeliveryFailed, KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing
    from bdp_assets.operations.demo.history import OwnFile, Simulated
    from bdp_assets.operations.demo.steps import Traffic, run
    from bdp_assets.settings import get_settings

    past = OwnFile(data, mapping, until.date() if until else None) if data else Simulated(days=days)
    failures = (ControlPlaneUnavailable, KafkaUnavailable, KafkaRefused, OffsetsGone, DeliveryFailed)
    with told(*failures, MappingError, HistoryMissing), interruptible(_STOPPED), Terminal() as screen:
        proof = run(get_settings(), past, Traffic(seconds, rate), screen)
    show_proof(screen.console, proof, get_settings(), screen.elapsed())
    raise typer.Exit(0 if proof.holds else 1)
