"""Processes that settle the backlog: our scoring workers, or the pass-through."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from bdp_assets.runtime import orphans
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

_PATIENCE_S = 30
_STARTED_S = 120
_LOOK_S, _QUIET = 0.5, 6
_IDLE = 0.05
"""Share of a core that a worker needs to find out that there is nothing to do, at most."""
SERVICES = ("kafka", "redis")


@contextmanager
def running(
    settings: Settings, commands: Sequence[Sequence[str]], python: str = sys.executable
) -> Iterator[list[psutil.Process]]:
    """Processes that reach the bench's services; drained at the end, and killed if that takes long."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
    log = settings.home / "logs" / "bench.log"
    with log.open("ab") as sink:
        started = [
            subprocess.Popen(
                [python, "-m", *command],
                env={**others, **settings.chosen()},
                stdout=sink,
                stderr=sink,
            )
            for command in commands
        ]
    try:
        yield [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            _gone(process)


def wait_until_idle(processes: Sequence[psutil.Process]) -> None:
    """Until they have started and share the partitions: none has had anything to do for a while. Raises
    Problem."""
    deadline = time.monotonic() + _STARTED_S
    quiet, spent = 0, [cpu_s(process) for process in processes]
    while quiet < _QUIET:
        if time.monotonic() > deadline:
            raise Problem(
                f"The workers are still busy {_STARTED_S} s after their start.",
                "The bench is at fault, or something else has the machine.",
            )
        time.sleep(_LOOK_S)
        before, spent = spent, [cpu_s(process) for process in processes]
        idle = all(now - then < _IDLE * _LOOK_S for now, then in zip(spent, before, strict=True))
        quiet = quiet + 1 if idle else 0


@contextmanager
def held(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Stopped, for less than the seconds after which their group would miss them."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        release(processes)


def release(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        process.resume()


def scoring(workers: int) -> list[list[str]]:
    return [["bdp_assets.cli.main", "stream", "scoring", "--slot", str(slot)] for slot in range(workers)]


def pass_through(workers: int) -> list[list[str]]:
    return [["benchmarks.stream.pass_through", str(slot)] for slot in range(workers)]


def services(settings: Settings) -> dict[str, psutil.Process]:
    found = orphans.roots(settings.home)
    return {name: found[name] for name in SERVICES}


def cpu_s(process: psutil.Process) -> float:
    """Seconds of processor time so far, its children's not counted."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _gone(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
