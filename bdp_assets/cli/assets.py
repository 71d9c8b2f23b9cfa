"""`bdp assets ...`: have Dagster materialise history, models, decisions, scores; a run in its pages each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bdp_assets.operations.progress import Screen

app = typer.Typer(no_args_is_help=True, help="Have Dagster materialise history, a model, decisions, scores.")
_STOPPED = "Stopped looking. The run goes on in Dagster: the same command looks again."
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day (UTC).")]
Again = Annotated[bool, typer.Option("--again", help="Also days that are there already.")]


@app.command()
def history(first: First = None, last: Last = None, again: Again = False) -> None:
    """Backfill days of the history file, from raw to features; those that are missing, in one run."""
    from bdp_assets.operations import materialize
    from bdp_assets.settings import get_settings

    with _screen() as screen:
        materialize.history(get_settings(), _days(first, last), again=again, screen=screen)


@app.command()
def model() -> None:
    """Train on the lake, promote, bring the champion here, rebuild the online store."""
    from bdp_assets.operations import materialize
    from bdp_assets.settings import get_settings

    with _screen() as screen:
        materialize.model(get_settings(), screen)


@app.command()
def decisions(first: First = None, last: Last = None) -> None:
    """Decide days of history with the champion, as the API would."""
    from bdp_assets.operations import materialize
    from bdp_assets.settings import get_settings

    with _screen() as screen:
        materialize.decisions(get_settings(), _days(first, last), screen)


@app.command()
def scores(first: First = None, last: Last = None) -> None:
    """Score days of features as corrected with the champion (by default the history file's days)."""
    from bdp_assets.operations import materialize
    from bdp_assets.settings import get_settings

    with _screen() as screen:
        materialize.scores(get_settings(), _days(first, last), screen)


@app.command()
def shadow(first: First = None, last: Last = None) -> None:
    """Have the challenger score live decisions of days (by default the latest week), and compare."""
    from bdp_assets.operations import materialize
    from bdp_assets.settings import get_settings

    with _screen() as screen:
        materialize.shadow(get_settings(), _days(first, last), screen)


def _days(first: datetime | None, last: datetime | None) -> tuple[date, date] | None:
    if (first is None) != (last is None):
        raise typer.BadParameter("--from and --to go together")
    return (first.date(), last.date()) if first and last else None


@contextmanager
def _screen() -> Iterator[Screen]:
    from bdp_assets.cli.bars import BarScreen
    from bdp_assets.cli.failure import interruptible, told
    from bdp_assets.clients.dagster import ControlPlaneUnavailable
    from bdp_assets.ingest.mapping import MappingError

    problems = told(ControlPlaneUnavailable, MappingError)
    with problems, interruptible(_STOPPED), BarScreen() as screen:
        yield screen
