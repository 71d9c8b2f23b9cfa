"""`bdp verify`: prove that the stream has lost and doubled nothing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Read the topics and check that each raw message has exactly one outcome; exit code 1 if not."""
    from rich.console import Console

    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.operations import ledger_table
    from bdp_assets.operations.ledger import read_ledger
    from bdp_assets.settings import get_settings

    with told(KafkaUnavailable, KafkaRefused, OffsetsGone):
        ledger = read_ledger(get_settings())
    if as_json:
        typer.echo(json.dumps(ledger_table.as_json(ledger)))
    else:
        Console().print(ledger_table.as_tables(ledger))
    raise typer.Exit(0 if ledger.balanced else 1)
