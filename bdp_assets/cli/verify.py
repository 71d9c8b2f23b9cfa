"""`bdp verify`: prove that the platform has lost and doubled nothing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until nothing is on its way; then it must be so.")
    ] = 0,
) -> None:
    """Check that topics, lake, store and journals agree; exit code 1 if not, 2 if one does not answer."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.clients.outage import Outage
    from bdp_assets.operations.verify import report
    from bdp_assets.operations.verify.lag import await_drained
    from bdp_assets.operations.verify.verification import verify as prove
    from bdp_assets.settings import get_settings

    settings = get_settings()
    with told(KafkaUnavailable, KafkaRefused, OffsetsGone, Outage):
        found = prove(settings, await_drained(settings, wait))
    if as_json:
        typer.echo(json.dumps(report.as_values(found)))
    else:
        show(report.as_text(found))
    raise typer.Exit(0 if found.holds and (found.drained or not wait) else 1)
