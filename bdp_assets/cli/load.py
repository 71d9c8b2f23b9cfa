"""`bdp load`: whether the platform holds its objectives at a rate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from bdp_assets.operations.load.choices import Door, Profile

if TYPE_CHECKING:
    from bdp_assets.operations.load.tally import Tally

app = typer.Typer()


@app.command()
def load(
    rate: Annotated[float, typer.Option(min=0.1, max=100_000, help="Transactions a second.")] = 50.0,
    duration: Annotated[float, typer.Option(min=0.1, help="Seconds.")] = 30.0,
    profile: Annotated[
        Profile,
        typer.Option(help="steady; spike: three times the rate in the middle fifth; soak: by quarters."),
    ] = Profile.STEADY,
    to: Annotated[
        Door, typer.Option(help="Which door: HTTP, or the raw topic to its prediction.")
    ] = Door.API,
    connections: Annotated[int, typer.Option(min=1, max=1_000, help="Most calls under way (API).")] = 64,
    url: Annotated[str | None, typer.Option(help="http://host:port of another API than this one's.")] = None,
    is_mine: Annotated[
        bool, typer.Option("--i-own-this-target", help="Load also what is not on this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Send on a fixed schedule and judge by the objectives; exit code 1 if one fails, 130 after Ctrl+C."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import stop_asked, told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing
    from bdp_assets.operations.load import report
    from bdp_assets.operations.load.run import Load, Watch, run
    from bdp_assets.operations.load.verdict import holds
    from bdp_assets.settings import get_settings

    def tell(tally: Tally) -> None:
        typer.echo(report.line(tally), err=True)

    asked = Load(rate, duration, profile, to, connections, url, is_mine)
    with told(HistoryMissing, MappingError, KafkaUnavailable, KafkaRefused), stop_asked() as stop:
        tally = run(get_settings(), asked, Watch(tell, stop))
        interrupted = stop.is_set()
    if as_json:
        typer.echo(json.dumps({**report.as_values(tally), "interrupted": interrupted}))
    else:
        show(report.as_text(tally))
    if interrupted:
        raise typer.Exit(130)
    raise typer.Exit(0 if holds(tally) else 1)
