"""Follows a run of Dagster to its end and tells how far it is."""

from __future__ import annotations

import re
import time

from bdp_assets.clients import dagster
from bdp_assets.clients.dagster import ControlPlaneUnavailable, Page
from bdp_assets.operations.progress import Screen
from bdp_assets.operations.run_account import RunAccount
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.sickness import require_alive
from bdp_assets.settings import LOOPBACK, Settings

POLL_S = 0.5
SILENCE_S = 60.0
"""How long the control plane may be away: the supervisor brings a program that died back."""
CONTROL_PLANE = ("postgres", "dagster-code", "dagster-webserver", "dagster-daemon")
LAST_LINES = 12
_HEAD = re.compile(r"^\S+ (\S+) \S+ - dagster - (\w+) - \S+ - [0-9a-f-]{36} - (?:\d+ - )?")
"""Date, zone, job, run and process, which are the same in every line."""
_EACH_DAY = " - ASSET_MATERIALIZATION - "
"""One line a day of a table, that says nothing else."""


def follow(settings: Settings, run_id: str, title: str, screen: Screen) -> None:
    """Return once the run has succeeded. Raises Problem when it does not, ControlPlaneUnavailable."""
    screen.line(_address(settings, run_id))
    account, page = RunAccount(title), None
    while page is None or not page.is_last:
        page = _next(settings, run_id, page)
        for line in account.take(page.events):
            screen.line(line)
        screen.bars(account.bars)
        if not page.has_more:
            time.sleep(POLL_S)
    screen.bars(())
    if page.status != "SUCCESS":
        raise _failed(settings, run_id, title, account, page.status)


def _next(settings: Settings, run_id: str, previous: Page | None) -> Page:
    """The page after that one; waits for a control plane that is being brought back."""
    deadline = time.monotonic() + SILENCE_S
    while True:
        require_alive(settings, CONTROL_PLANE)
        try:
            return dagster.page(settings, run_id, previous.cursor if previous else None)
        except ControlPlaneUnavailable:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


def _failed(settings: Settings, run_id: str, title: str, account: RunAccount, status: str) -> Problem:
    reasons = account.failures or [f"its status is {status}"]
    lines = [f"{title} did not succeed:", *reasons, *_last_lines(settings, run_id, account.output_file)]
    return Problem(
        "\n".join(lines),
        f"Mend what it names, then type the same command again.\nIts whole log: {_address(settings, run_id)}",
    )


def _last_lines(settings: Settings, run_id: str, file: str) -> list[str]:
    """The end of what the run's process wrote."""
    if not file:
        return []
    lines = dagster.output(settings, run_id, file).rstrip().splitlines()
    telling = [_HEAD.sub(r"\1 \2 ", line) for line in lines if _EACH_DAY not in line]
    return ["The last lines of its log:", *telling[-LAST_LINES:]]


def _address(settings: Settings, run_id: str) -> str:
    return f"http://{LOOPBACK}:{settings.dagster_port}/runs/{run_id}"
