"""What runs, for how long, and how much memory it takes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from bdp_assets.runtime import orphans, services
from bdp_assets.runtime.parts import Program
from bdp_assets.runtime.supervisor import ProgramState, Supervisor
from bdp_assets.settings import Settings


@dataclass(frozen=True)
class Row:
    """One program. `memory_bytes`: resident memory of its process tree. `address` never has a password."""

    name: str
    state: str
    pid: int | None = None
    uptime_s: int | None = None
    memory_bytes: int | None = None
    address: str = ""
    detail: str = ""


def rows(settings: Settings) -> list[Row]:
    """One row a program of the table, in its order."""
    states = Supervisor(settings.home).states()
    return [_row(settings, program, states.get(program.name)) for program in services.PROGRAMS]


def _row(settings: Settings, program: Program, state: ProgramState | None) -> Row:
    if program.is_replaced(settings):
        return Row(
            program.name, "yours", address=_without_password(getattr(settings, str(program.replaced_by)))
        )
    if state is None or state.state == "stopped":
        detail = "" if program.wanted(settings) else program.waits_for
        return Row(program.name, "stopped", address=program.address(settings), detail=detail)
    if not state.running:
        return Row(program.name, state.state, address=program.address(settings), detail=state.detail)
    memory = memory_bytes(state.pid)
    return Row(program.name, state.state, state.pid, state.uptime_s, memory, program.address(settings))


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
