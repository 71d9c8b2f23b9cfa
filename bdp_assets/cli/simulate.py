"""`bdp simulate ...`: a past made up, and traffic to go with it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Make history files and live traffic.")


@app.command()
def history(
    days: Annotated[int, typer.Option(min=1, help="Number of days.")] = 90,
    end: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="The days end at midnight (UTC) of this one; default: today."
        ),
    ] = None,
    customers: Annotated[int, typer.Option(min=1, help="Number of customers.")] = 1_000,
    merchants: Annotated[int, typer.Option(min=17, help="Number of merchants.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another world.")] = 7,
) -> None:
    """Write days of transactions and labels to BDP_HOME/history."""
    import time

    from bdp_assets.runtime.home import prepare
    from bdp_assets.settings import get_settings
    from bdp_assets.simulator.world import World, midnight

    prepare(get_settings().home)  # before files are in it: then it could not become the platform's
    until = end.date() if end else midnight(time.time_ns() // 1_000_000)
    made = World(seed=seed, customers=customers, merchants=merchants).history(until, days)
    path = made.write(get_settings().home / "history")
    frauds = made.labels.filter("is_fraud").height
    typer.echo(
        f"{made.transactions.height:,} transactions and {frauds:,} reported frauds before {until}: {path}"
    )


@app.command()
def traffic(
    seconds: Annotated[float, typer.Option(min=0.1, help="How long.")] = 30.0,
    rate: Annotated[float, typer.Option(min=0.1, help="Records a second.")] = 150.0,
    bad_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of bad records (simulated only).")
    ] = 0.01,
    api_share: Annotated[float, typer.Option(min=0, max=1, help="Share that goes through the API.")] = 0.0,
) -> None:
    """Send live transactions: what follows the history, simulated or from BDP_HISTORY_FILE."""
    import time

    from rich.progress import MofNCompleteColumn, Progress

    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import DeliveryFailed, KafkaRefused, KafkaUnavailable
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing
    from bdp_assets.operations.traffic import play
    from bdp_assets.operations.traffic_sources import from_settings
    from bdp_assets.settings import get_settings

    settings, now_ms = get_settings(), time.time_ns() // 1_000_000
    with told(HistoryMissing, MappingError, KafkaUnavailable, KafkaRefused, DeliveryFailed):
        source = from_settings(settings, start_ms=now_ms, per_second=rate, bad_share=bad_share)
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn()) as bars:
            task = bars.add_task("transactions", total=round(rate * seconds))
            tell = partial(bars.update, task)
            report = play(
                settings,
                source,
                rate=rate,
                seconds=seconds,
                progress=lambda sent: tell(completed=sent),
                api_share=api_share,
            )
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(report.kinds.items()))
    typer.echo(f"{report.sent:,} sent in {report.seconds:.1f} s ({kinds})")
    if report.answers:
        typer.echo(f"API answers: {dict(sorted(report.answers.items()))}")
    typer.echo(f"{report.bad:,} of them are bad on purpose. Journal: {report.journal}")
