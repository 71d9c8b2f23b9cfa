"""What runs and answers, for how long, and how much memory it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import psutil

from bdp_assets.runtime import orphans, restarts, services
from bdp_assets.runtime.parts import Program
from bdp_assets.runtime.pulse import Pulse
from bdp_assets.runtime.supervisor import ProgramState, Supervisor
from bdp_assets.settings import Settings

PATIENCE_S = 3.0
"""How long a look waits for answers."""
STARTING_S = 60
"""A program that does not answer is said to start until it is that old."""
UNWATCHED = "its supervisor died: `bdp up` takes over"
WENT_WRONG = {
    "backoff": "ends right after each start; `bdp logs {name}` tells why",
    "fatal": "ended right after each of ten starts; `bdp logs {name}` tells why, `bdp up` tries again",
}


@dataclass(frozen=True)
class Row:
    """One program. `memory_bytes`: resident memory of its process tree. `address` never has a password.

    `state`: running (it answers), starting, silent (it runs and does not answer), stopped, yours, unwatched,
    or the supervisor's word for what went wrong (backoff, fatal, exited).
    """

    name: str
    state: str
    pid: int | None = None
    uptime_s: int | None = None
    memory_bytes: int | None = None
    address: str = ""
    detail: str = ""
    restarts: int = 0
    """How often it ended by itself, and was started again, since somebody started it."""


class Status:
    """Looks again and again; what programs answered is kept from look to look."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pulse = Pulse(settings)
        self._is_first = True

    def rows(self) -> list[Row]:
        """One row a program of the table, in its order. The first look waits for answers, for a while."""
        states = Supervisor(self._settings.home).states()
        left = {} if states else orphans.roots(self._settings.home)
        ended = restarts.read(self._settings.home) if states else {}
        if self._is_first:
            self._is_first = False
            self._ask_all(states)
        return [
            replace(self._row(program, states.get(program.name), left), restarts=ended.get(program.name, 0))
            for program in services.PROGRAMS
            if program.asked_for(self._settings) or _is_there(program.name, states, left)
        ]

    def _ask_all(self, states: Mapping[str, ProgramState]) -> None:
        for name, state in states.items():
            if state.state == "running" and name in services.BY_NAME:
                self._pulse.beats(services.BY_NAME[name], state.pid)
        self._pulse.wait(PATIENCE_S)

    def _row(self, program: Program, state: ProgramState | None, left: Mapping[str, psutil.Process]) -> Row:
        address = program.address(self._settings)
        if program.is_replaced(self._settings):
            url = getattr(self._settings, str(program.replaced_by))
            return Row(program.name, "yours", address=_without_password(url))
        if program.name in left:
            pid = left[program.name].pid
            return Row(program.name, "unwatched", pid, None, memory_bytes(pid), address, UNWATCHED)
        if state is None or state.state == "stopped":
            detail = "" if program.wanted(self._settings) else program.waits_for
            return Row(program.name, "stopped", address=address, detail=detail)
        if not state.running:
            detail = WENT_WRONG.get(state.state, state.detail).format(name=program.name)
            return Row(program.name, state.state, address=address, detail=detail)
        word, detail = self._word(program, state)
        return Row(program.name, word, state.pid, state.uptime_s, memory_bytes(state.pid), address, detail)

    def _word(self, program: Program, state: ProgramState) -> tuple[str, str]:
        if state.state == "running" and self._pulse.beats(program, state.pid):
            return "running", ""
        if state.uptime_s < STARTING_S:
            return "starting", ""
        return "silent", f"runs but does not answer; `bdp logs {program.name}` may tell why"


def _is_there(name: str, states: Mapping[str, ProgramState], left: Mapping[str, psutil.Process]) -> bool:
    return name in left or (name in states and states[name].state != "stopped")


def rows(settings: Settings) -> list[Row]:
    """One look."""
    return Status(settings).rows()


def memory_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants; pages that they share count for each. 0 when gone."""
    try:
        root = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return 0
    return sum(_resident(process) for process in (root, *orphans.descendants(root)))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
