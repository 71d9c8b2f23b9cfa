"""The platform at rest for a copy, and as it was afterwards: writers end first, then what they write to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bdp_assets.operations import start
from bdp_assets.operations.backup.counting import STORES, count
from bdp_assets.operations.backup.manifest import Counts
from bdp_assets.operations.progress import Bar, Screen
from bdp_assets.operations.verify.lag import Lag, await_drained, read_lag
from bdp_assets.runtime import home as homes
from bdp_assets.runtime import orphans, platform, services
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.starter import Report
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings


def drain(settings: Settings, wait_s: float, screen: Screen, report: Report) -> None:
    """Stop the API, then wait so long until workers and landing have done what is there."""
    platform.down(settings, ["api"], report=report)

    def told(lag: Lag) -> None:
        behind = ", ".join(f"{part} {number:,}" for part, number in lag.items() if number)
        screen.bars([Bar("drain", behind)])

    await_drained(settings, wait_s, told)


def counted(settings: Settings, report: Report) -> tuple[Counts, Lag]:
    """Stop all but the stores of data and count what is in them; then nothing runs. Raises Problem."""
    others = [program.name for program in services.PROGRAMS if program.name not in STORES]
    try:
        platform.down(settings, others, report=report)
        platform.up(settings, STORES, report=report)
        return count(settings), read_lag(settings)
    finally:
        platform.down(settings, report=report)


def running(settings: Settings) -> list[str]:
    """Names of the programs that run."""
    return [name for name, state in Supervisor(settings.home).states().items() if state.running]


@contextmanager
def started_again(settings: Settings, names: list[str], report: Report) -> Iterator[None]:
    """Whatever happens inside, these run afterwards."""
    try:
        yield
    finally:
        if set(names) - set(running(settings)):
            start.up(settings, names, report=report)


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Nobody starts the platform meanwhile. Raises Problem where somebody has just done so."""
    with homes.locked(settings.home):
        if Supervisor(settings.home).alive() or orphans.find(settings.home):
            raise Problem(
                f"The platform of {settings.home} was started again meanwhile.",
                "Try again, and leave it alone for that time.",
            )
        yield
