"""`bdp chaos`: kill everything that can be killed, and prove that nothing was lost or doubled."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def chaos(
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same plan.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="How often all that can be done is done.")] = 1,
    minutes: Annotated[float, typer.Option(min=0.1, help="Begin no move after so many minutes.")] = 60.0,
    rate: Annotated[float, typer.Option(min=1, help="Transactions a second.")] = 150.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep its folder also where all is well.")] = False,
) -> None:
    """Start a platform of its own, disturb it under traffic, verify it, remove it; exit code 1 if broken."""
    import shutil
    import time

    from bdp_assets.cli.display import sentence, show
    from bdp_assets.cli.failure import ended_by_signals, interruptible, told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.clients.outage import Outage
    from bdp_assets.operations.chaos import report
    from bdp_assets.operations.chaos.ground import ground, refuse_own_systems
    from bdp_assets.operations.chaos.plan import TARGETS, make_plan
    from bdp_assets.operations.chaos.run import run
    from bdp_assets.settings import get_settings

    def say(text: str) -> None:
        typer.echo(text, err=as_json)

    refuse_own_systems(get_settings())
    plan = make_plan(seed, rounds)
    failures = (KafkaUnavailable, KafkaRefused, OffsetsGone, Outage)
    with told(*failures), interruptible("Stopped: its platform is ended."), ended_by_signals():
        programs = [target.program for target in TARGETS]
        now_ms = time.time_ns() // 1_000_000
        with ground(seed, programs, now_ms, lambda *stage: say(sentence(*stage))) as settings:
            say(f"{len(plan)} moves in {settings.home}")
            outcome = run(
                settings, plan, rate=rate, most_s=60 * minutes, tell=lambda done: say(report.line(done))
            )
    if as_json:
        typer.echo(json.dumps(report.as_values(outcome, seed, rounds)))
    else:
        show(report.as_text(outcome))
    if outcome.holds and not keep:
        shutil.rmtree(settings.home)
    else:
        say(f"Logs and data: {settings.home}")
    raise typer.Exit(0 if outcome.holds else 1)
