"""`bdp dlq list | show`: messages that were refused, and why."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Dead letters: messages that were refused.")


@app.command("list")
def list_letters(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of the last.")] = 20,
    error: Annotated[str | None, typer.Option(help="Only this error code, e.g. timestamp_future.")] = None,
) -> None:
    """Show the last dead letters, the newest at the end."""
    from rich.console import Console

    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.operations.dead_letters import as_table, last_entries
    from bdp_assets.settings import get_settings

    with told(KafkaUnavailable, KafkaRefused):
        entries = last_entries(get_settings(), limit, error)
    if entries:
        Console().print(as_table(entries))
    else:
        typer.echo("No dead letters.")


@app.command()
def show(
    place: Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `bdp dlq list` shows it.")],
) -> None:
    """Show one dead letter with the original bytes (card numbers masked)."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.operations.dead_letters import NOT_REPLAYABLE, entry_at
    from bdp_assets.settings import get_settings

    partition, _, offset = place.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise typer.BadParameter("write PARTITION:OFFSET, such as 3:17", param_hint="PLACE")
    with told(KafkaUnavailable, KafkaRefused):
        entry = entry_at(get_settings(), int(partition), int(offset))
    if entry is None:
        typer.secho(
            f"There is no dead letter at {place}. `bdp dlq list` shows the places.", fg="red", err=True
        )
        raise typer.Exit(1)
    letter = entry.letter
    field = f" (field {letter.field})" if letter.field else ""
    typer.echo(f"{letter.error}{field}, refused by {entry.step}: {letter.message}")
    typer.echo(f"source {letter.source_topic}[{letter.source_partition}]@{letter.source_offset}")
    for hash_ in letter.pan_hashes:
        typer.echo(f"card number with the keyed hash {hash_}")
    masked = "; card numbers are masked" if letter.masked else ""
    typer.echo(f"original, {len(entry.original):,} bytes{masked}:")
    typer.echo(entry.original.decode("utf-8", "backslashreplace"))
    if letter.masked:
        typer.secho(NOT_REPLAYABLE, fg="yellow", err=True)
