"""Processes of this BDP_HOME that no living supervisor looks after (left by kill -9 of the supervisor).

They are known by a variable in their environment, never by name: another checkout's are not touched.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import psutil

MARKER = "BDP_SUPERVISED_HOME"
PROGRAM_MARKER = "BDP_SUPERVISED_PROGRAM"


def marks(home: Path, program: str) -> dict[str, str]:
    """The variables that tell whose process it is; its children inherit them."""
    return {MARKER: str(home), PROGRAM_MARKER: program}


def find(home: Path, programs: Collection[str] | None = None) -> list[psutil.Process]:
    """Processes of this home (or of its named programs) and their descendants, save the caller's line."""
    own = psutil.Process()
    keep = {own.pid, *(parent.pid for parent in own.parents())}
    marked = [process for process in psutil.process_iter() if _is_ours(_environment(process), home, programs)]
    family = {process.pid: process for root in marked for process in (root, *descendants(root))}
    return [process for pid, process in family.items() if pid not in keep]


def roots(home: Path) -> dict[str, psutil.Process]:
    """Program of this home -> its process that no other process of that program has started."""
    found: dict[str, dict[int, psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        environment = _environment(process)
        if _is_ours(environment, home, None) and PROGRAM_MARKER in environment:
            found.setdefault(environment[PROGRAM_MARKER], {})[process.pid] = process
    return {
        name: next(process for process in family.values() if process.info["ppid"] not in family)
        for name, family in found.items()
    }


def _is_ours(environment: Mapping[str, str], home: Path, programs: Collection[str] | None) -> bool:
    is_chosen = programs is None or environment.get(PROGRAM_MARKER) in programs
    return environment.get(MARKER) == str(home) and is_chosen


def _environment(process: psutil.Process) -> Mapping[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def descendants(process: psutil.Process) -> list[psutil.Process]:
    """Children and their children; none when the process is gone."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def end(processes: Sequence[psutil.Process], *, patience_s: float = 15.0) -> None:
    """Ask each to stop, then kill what is still there after `patience_s` seconds."""
    for process in processes:
        _signal(process, "terminate")
    alive = still_alive(processes, patience_s)
    for process in alive:
        _signal(process, "kill")
    still_alive(alive, 5)


def still_alive(processes: Sequence[psutil.Process], patience_s: float) -> list[psutil.Process]:
    """Those that have not ended after that many seconds."""
    until = time.monotonic() + patience_s
    alive = list(processes)
    while alive and time.monotonic() < until:
        _, remaining = psutil.wait_procs(alive, timeout=0.1)
        alive = [process for process in remaining if not _is_over(process)]
    return alive


def _is_over(process: psutil.Process) -> bool:
    """Ended, and not yet collected by its parent: in a container without an init it never is."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _signal(process: psutil.Process, method: str) -> None:
    try:
        getattr(process, method)()
    except psutil.NoSuchProcess:
        return
