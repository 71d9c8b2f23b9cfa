"""The three sides as processes: our service, a bare ASGI app, and a Flask app as the original was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bdp_assets.runtime import api, health
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings
from bento.access.file import issue
from bento.access.issuing import Wish, create
from bento.access.scopes import Scope

_STARTED_S, _PATIENCE_S = 120, 30


@contextmanager
def serving(settings: Settings, ports: Mapping[str, int]) -> Iterator[None]:
    """`ports` of each side; they answer when the block begins, and are gone at its end."""
    commands = {
        "ours": api.command(settings),
        "floor": _uvicorn("benchmarks.api.floor:app", ports["floor"]),
        "peer": [sys.executable, "-m", "benchmarks.api.peer", str(ports["peer"])],
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
    environment = {**others, **settings.chosen(), **api.environment(settings)}
    started: list[subprocess.Popen[bytes]] = []
    try:
        with (settings.home / "logs" / "bench.log").open("ab") as sink:
            started += [
                subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
                for command in commands.values()
            ]
        for name, process in zip(commands, started, strict=True):
            _wait(name, process, ports[name])
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            _gone(process)


def new_key(settings: Settings) -> str:
    """A key that lets predictions in, in the key file of `settings`; without a limit."""
    wish = Wish(name="bench", scopes=(Scope.PREDICT,), rate_per_s=0)
    return issue(settings.keys_file, lambda keys: create(keys, wish, time.time_ns() // 1_000_000))


def _uvicorn(app: str, port: int) -> Sequence[str]:
    quiet = ("--log-level", "warning", "--no-access-log")
    return [sys.executable, "-m", "uvicorn", app, "--host", LOOPBACK, "--port", str(port), *quiet]


def _wait(name: str, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _STARTED_S
    while not health.http_ok(port, "/health"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Problem(
                f"The bench's side {name!r} did not start.", "Is the machine busy, or out of memory?"
            )
        time.sleep(0.2)


def _gone(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
