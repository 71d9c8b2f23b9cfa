"""`bdp quarantine list | show | fix | release | audit`: refused rows of the past, corrected and let go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bdp_assets.cli.places import parsed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bdp_assets.operations.quarantine.fixing import Choice, Report
    from bdp_assets.operations.quarantine.places import Place
    from bdp_assets.operations.quarantine.rows import Filter

app = typer.Typer(no_args_is_help=True, help="Quarantine: rows of the past that were refused.")
_STOPPED = "Stopped looking. The run goes on in Dagster; `bdp quarantine release` looks again."

Places = Annotated[list[str] | None, typer.Argument(help="DAY:OFFSET of rows.")]
Error = Annotated[str | None, typer.Option(help="Only this error code, e.g. out_of_range.")]
Field = Annotated[str | None, typer.Option(help="Only where this field is at fault.")]
Status = Annotated[str | None, typer.Option(help="Only open, fixed, releasing or released.")]
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day (UTC).")]
Every = Annotated[
    bool, typer.Option("--all", help="All rows that can be: fix those not released, release those fixed.")
]
By = Annotated[str | None, typer.Option(help="Who asks for it; default: the user of this machine.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, show what would be.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("list")
def list_rows(
    error: Error = None,
    field: Field = None,
    status: Status = None,
    first: First = None,
    last: Last = None,
    rows: Annotated[bool, typer.Option("--rows", help="Rows of the past instead of counts.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="With --rows: how many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Count the lake's quarantined rows by day, reason and source; --rows shows those of the past."""
    from bdp_assets.cli import quarantine_tables as tables
    from bdp_assets.clients.lake import Lake
    from bdp_assets.operations.quarantine import listing
    from bdp_assets.operations.quarantine.rows import matching
    from bdp_assets.settings import get_settings

    chosen = _filter(error, field, status, first, last)
    with _told():
        lake = Lake.of(get_settings())
        if rows:
            found = matching(lake, chosen, limit)
            _print([tables.as_json(row) for row in found], tables.rows_table(found), as_json)
        else:
            groups = listing.groups(lake, chosen)
            _print(groups.to_dicts(), tables.groups_table(groups), as_json)


@app.command()
def show(
    place: Annotated[str, typer.Argument(help="DAY:OFFSET, as `bdp quarantine list --rows` shows it.")],
) -> None:
    """Show one row with its original text (card numbers masked), and what became of it."""
    from bdp_assets.cli.quarantine_tables import row_lines
    from bdp_assets.clients.lake import Lake
    from bdp_assets.operations.quarantine.fixing import UNKNOWN
    from bdp_assets.operations.quarantine.rows import at
    from bdp_assets.settings import get_settings

    places = _places([place])
    with _told():
        found = at(Lake.of(get_settings()), places)
    if not found:
        typer.secho(UNKNOWN, fg="red", err=True)
        raise typer.Exit(1)
    for line in row_lines(found[0]):
        typer.echo(line)


@app.command()
def fix(
    file: Annotated[
        Path, typer.Option("--with", help="The corrections; docs/quarantine.md.", exists=True, dir_okay=False)
    ],
    places: Places = None,
    error: Error = None,
    field: Field = None,
    status: Status = None,
    first: First = None,
    last: Last = None,
    every: Every = False,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Correct rows and keep that until they are released; exit code 1 if one stays as it is."""
    from bdp_assets.operations.dead_letters.fixes import read_fixes
    from bdp_assets.operations.quarantine.fixing import fix as keep
    from bdp_assets.operations.quarantine.places import place_of
    from bdp_assets.settings import get_settings

    choice = _choice(places, _filter(error, field, status, first, last), every=every)
    with _told():
        report = keep(get_settings(), choice, read_fixes(file, place_of), by or _user(), rehearsed=dry_run)
    _report(report, "fixed", dry_run=dry_run, as_json=as_json)


@app.command()
def release(
    places: Places = None,
    error: Error = None,
    field: Field = None,
    status: Status = None,
    first: First = None,
    last: Last = None,
    every: Every = False,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let corrected rows go back into the past: Dagster backfills their days; exit code 1 if one stays."""
    from bdp_assets.cli.bars import BarScreen
    from bdp_assets.cli.failure import interruptible
    from bdp_assets.operations import materialize
    from bdp_assets.operations.quarantine import releasing
    from bdp_assets.settings import get_settings

    choice = _choice(places, _filter(error, field, status, first, last), every=every)
    settings, who = get_settings(), by or _user()
    if dry_run:
        with _told():
            report = releasing.rehearse(settings, choice, who)
    else:
        with _told(), interruptible(_STOPPED), BarScreen() as screen:
            report = releasing.release(
                settings,
                choice,
                who,
                lambda days: materialize.history(settings, days, again=True, screen=screen),
            )
    _report(report, "released", dry_run=dry_run, as_json=as_json)


@app.command()
def audit(as_json: AsJson = False) -> None:
    """Show who fixed and released what, and when."""
    from bdp_assets.cli.quarantine_tables import audit_table
    from bdp_assets.clients.lake import Lake
    from bdp_assets.operations.quarantine import acts
    from bdp_assets.settings import get_settings

    with _told():
        found = acts.history(Lake.of(get_settings()))
    _print(found.to_dicts(), audit_table(found), as_json)


def _choice(places: Sequence[str] | None, matching: Filter, *, every: bool) -> Choice:
    from bdp_assets.operations.quarantine.fixing import Choice

    if sum((bool(places), not matching.is_empty, every)) != 1:
        raise typer.BadParameter("name places, or say which (--error, --from, ...), or --all")
    return Choice(_places(places or []), matching)


def _places(texts: Sequence[str]) -> list[Place]:
    from bdp_assets.operations.quarantine.places import place_of

    return parsed(texts, place_of)


def _filter(
    error: str | None, field: str | None, status: str | None, first: datetime | None, last: datetime | None
) -> Filter:
    from bdp_assets.operations.quarantine import rows

    if status is not None and status not in list(rows.Status):
        raise typer.BadParameter(f"one of {', '.join(rows.Status)}", param_hint="--status")
    return rows.Filter(
        error=error,
        field=field,
        status=status,
        first=first.date() if first else None,
        last=last.date() if last else None,
    )


def _report(report: Report, verb: str, *, dry_run: bool, as_json: bool) -> None:
    from bdp_assets.cli.quarantine_tables import report_json, report_parts

    if as_json:
        _echo_json(report_json(report))
    else:
        for part in report_parts(report, verb, rehearsed=dry_run):
            _show(part)
    raise typer.Exit(1 if report.kept else 0)


def _print(objects: Sequence[dict[str, Any]], table: RenderableType, as_json: bool) -> None:
    if as_json:
        _echo_json(objects)
    elif objects:
        _show(table)
    else:
        typer.echo("Nothing is there.")


def _echo_json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(value))


def _show(what: RenderableType) -> None:
    from bdp_assets.cli.display import show as shown

    shown(what, markup=False)


def _user() -> str:
    import getpass

    return getpass.getuser()


@contextmanager
def _told() -> Iterator[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.dagster import ControlPlaneUnavailable
    from bdp_assets.clients.lake import LakeUnavailable
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing
    from bdp_assets.operations.dead_letters.fixes import InvalidFix

    with told(InvalidFix, MappingError, HistoryMissing, LakeUnavailable, ControlPlaneUnavailable):
        yield
