"""Processes that settle the backlog: our scoring workers, or the pass-through."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from bdp_assets.runtime import orphans
from bdp_assets.settings import Settings

_PATIENCE_S = 30
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
