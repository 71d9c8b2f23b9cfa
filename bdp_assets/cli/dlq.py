"""`bdp dlq list | show | replay`: messages that were refused, why, and how they are sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bdp_assets.cli.places import parsed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bdp_assets.operations.dead_letters.entries import Place
    from bdp_assets.operations.dead_letters.query import Filter

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Dead letters: messages that were refused.")

Error = Annotated[str | None, typer.Option(help="Only this error code, e.g. timestamp_future.")]
Field = Annotated[str | None, typer.Option(help="Only where this field is at fault.")]
SourceTopic = Annotated[str | None, typer.Option(help="Only messages of this topic, or rows of source:NAME.")]
Status = Annotated[str | None, typer.Option(help="Only open, replayed, fixed or sending.")]
Since = Annotated[str | None, typer.Option(help="Refused since then: 90m, 2h, 7d or an ISO time (UTC).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("list")
def list_letters(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of the last.")] = 20,
    error: Error = None,
    field: Field = None,
    source_topic: SourceTopic = None,
    since: Since = None,
    status: Status = None,
    by_error: Annotated[bool, typer.Option("--by-error", help="Count those that are alike.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last dead letters, the newest at the end; or how many there are of each kind."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, OffsetsGone
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.operations.dead_letters import listing, query, tables
    from bdp_assets.settings import get_settings

    chosen = _filter(error, field, source_topic, since, status)
    with told(WarehouseUnavailable, KafkaRefused, OffsetsGone):
        if by_error:
            groups, stale = listing.errors(get_settings(), chosen)
            _print(groups, tables.errors_table, [group._asdict() for group in groups], as_json)
        else:
            rows, stale = listing.letters(get_settings(), chosen, limit)
            _print(rows, tables.letters_table, list(map(query.as_json, rows)), as_json)
    if stale:
        typer.secho(f"{stale} This is what the index knew before.", fg="yellow", err=True)


@app.command()
def show(
    place: Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `bdp dlq list` shows it.")],
) -> None:
    """Show one dead letter with the original bytes (card numbers masked), and what became of it."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.operations.dead_letters import entries, listing, tables
    from bdp_assets.settings import get_settings

    (at,) = _places([place])
    with told(KafkaUnavailable, KafkaRefused, OffsetsGone):
        entry = entries.entry_at(get_settings(), at)
        if entry is None:
            typer.secho(
                f"There is no dead letter at {at}. `bdp dlq list` shows the places.", fg="red", err=True
            )
            raise typer.Exit(1)
        became = listing.became(get_settings(), entry)
    for line in tables.letter_lines(entry, became):
        typer.echo(line)
    if entry.letter.masked:
        typer.secho(entries.NOT_REPLAYABLE, fg="yellow", err=True)


@app.command()
def replay(
    places: Annotated[list[str] | None, typer.Argument(help="PARTITION:OFFSET of letters.")] = None,
    error: Error = None,
    field: Field = None,
    source_topic: SourceTopic = None,
    since: Since = None,
    status: Status = None,
    every: Annotated[bool, typer.Option("--all", help="All open letters.")] = False,
    fix: Annotated[
        Path | None, typer.Option(help="Changes to make first; docs/dead-letters.md.", exists=True)
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was sent before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing, show what would be.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send letters again through the door that refused them, fixed if need be; exit code 1 if one stays.

    Without places: the open letters that match. What its contract would refuse again is listed, not sent.
    """
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.clients.lake import LakeUnavailable
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.operations.dead_letters import replay, tables
    from bdp_assets.operations.dead_letters.fixes import Fixes, InvalidFix, read_fixes
    from bdp_assets.operations.dead_letters.sending import ReplayFailed
    from bdp_assets.pan_key import PanKeyMissing
    from bdp_assets.settings import get_settings

    matching = _filter(error, field, source_topic, since, status)
    chosen = (bool(places), not matching.is_empty, every)
    if sum(chosen) != 1:
        raise typer.BadParameter("name places, or say which (--error, --since, ...), or --all")
    away = (WarehouseUnavailable, LakeUnavailable, KafkaUnavailable, KafkaRefused, OffsetsGone)
    with told(InvalidFix, ReplayFailed, PanKeyMissing, *away):
        choice = replay.Choice(_places(places or []), replay.unsent(matching, again=again), again)
        act = replay.rehearse if dry_run else replay.replay
        report = act(get_settings(), choice, read_fixes(fix) if fix else Fixes())
    if as_json:
        _echo_json(tables.report_json(report))
    else:
        for part in tables.report_parts(report, rehearsed=dry_run):
            _show(part)
    raise typer.Exit(1 if report.kept else 0)


def _places(texts: Sequence[str]) -> list[Place]:
    from bdp_assets.operations.dead_letters.entries import place_of

    return parsed(texts, place_of)


def _filter(
    error: str | None, field: str | None, source_topic: str | None, since: str | None, status: str | None
) -> Filter:
    from datetime import UTC, datetime

    from bdp_assets.contracts.dead_letters import is_of_source
    from bdp_assets.contracts.topics import TOPICS
    from bdp_assets.operations.dead_letters import query

    if status is not None and status not in list(query.Status):
        raise typer.BadParameter(f"one of {', '.join(query.Status)}", param_hint="--status")
    if source_topic is not None and not (source_topic in TOPICS or is_of_source(source_topic)):
        raise typer.BadParameter("`bdp topics list` shows the topics", param_hint="--source-topic")
    try:
        moment = query.since(since, datetime.now(UTC)) if since else None
    except ValueError as told:
        raise typer.BadParameter(str(told), param_hint="--since") from None
    return query.Filter(error=error, field=field, source_topic=source_topic, since=moment, status=status)


def _print(
    found: Sequence[T],
    table: Callable[[Sequence[T]], RenderableType],
    as_objects: list[object],
    as_json: bool,
) -> None:
    if as_json:
        _echo_json(as_objects)
    elif found:
        _show(table(found))
    else:
        typer.echo("No dead letters.")


def _echo_json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(value))


def _show(what: RenderableType) -> None:
    from bdp_assets.cli.display import show

    show(what, markup=False)
