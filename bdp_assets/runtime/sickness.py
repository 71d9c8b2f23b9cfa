"""A program that does not do its work: said with the end of its log, and what to do."""

from __future__ import annotations

from collections.abc import Collection

from bdp_assets.runtime import home as homes
from bdp_assets.runtime import logs, services
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings

GIVEN_UP = ("fatal", "stopped", "unknown")
"""States from which the supervisor brings nobody back by itself."""


def sick(settings: Settings, name: str, what: str) -> Problem:
    """What to raise of a program; `what` is said of it. Raises Problem by itself: the disk is full."""
    homes.check_room(settings.home)
    file = logs.path(settings.home, name)
    return Problem(
        f"{name} {what}. The last lines of {file}:\n{logs.tail(file)}",
        f"Mend what they name, then `bdp up` again (`bdp logs {name}` shows more).",
    )


def require_alive(settings: Settings, names: Collection[str]) -> None:
    """Raises Problem when one of our own programs of those names is down for good."""
    states = Supervisor(settings.home).states()
    for program in services.embedded(settings):
        state = states.get(program.name)
        if program.name in names and state is not None and state.state in GIVEN_UP:
            raise sick(settings, program.name, f"is {state.state} ({state.detail})")
