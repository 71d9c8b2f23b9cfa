"""`bdp learn list | check`: the lessons of docs/learn, and whether one is done."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Twelve lessons, and a look whether one is done.")


@app.command("list")
def list_lessons() -> None:
    """Show every lesson: how hard it is, what you build, and its page."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.learn_tables import listed
    from bdp_assets.operations.learn.course import LESSONS

    show(listed(LESSONS))


@app.command()
def check(number: Annotated[int, typer.Argument(help="Of the lesson.")]) -> None:
    """Look whether what a lesson builds is there; else say what is missing, and exit with code 1."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.learn_tables import verdict
    from bdp_assets.operations.learn import course
    from bdp_assets.settings import get_settings

    lesson = course.find(number)
    with _told():
        missing = course.check(get_settings(), number)
    show(verdict(lesson, missing), markup=False)
    raise typer.Exit(1 if missing else 0)


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.dagster import ControlPlaneUnavailable
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.clients.lake import LakeUnavailable, TableMissing
    from bdp_assets.clients.outage import Outage
    from bdp_assets.clients.redis import StoreUnavailable
    from bdp_assets.scoring.bundle import BundleError
    from bento.access.file import KeyFileError

    away = (KafkaUnavailable, KafkaRefused, OffsetsGone, Outage, ControlPlaneUnavailable, StoreUnavailable)
    return told(*away, LakeUnavailable, TableMissing, BundleError, KeyFileError)
