"""One Dagster daemon at a time: the platform's rests while a `dagster dev`, which brings its own, is there.

Two daemons on one instance would both launch what is queued. Every process of a `dagster dev` holds a lock in
BDP_HOME for as long as it lives, however it ends; `python -m bdp_assets.runtime.one_daemon HOME COMMAND...`
runs the daemon whenever nobody holds it. It lives as long as the daemon, so it imports next to nothing.
"""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import IO

LOOK_S = 1.0
PATIENCE_S = 20.0
"""What a daemon gets to finish what it does."""

_held: list[IO[str]] = []


def rest(home: Path) -> None:
    """Have the platform's daemon rest while the calling process lives; without a platform nothing happens."""
    if (home / "run").is_dir():
        lock = _lock(home).open("w")
        fcntl.flock(lock, fcntl.LOCK_SH)
        _held.append(lock)


def is_resting(home: Path) -> bool:
    """Whether somebody wants it to."""
    with _lock(home).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def keep(home: Path, command: list[str], stopped: Event) -> int:
    """Run the command, with rests, until `stopped` is set or it ends by itself; returns its exit code."""
    child: subprocess.Popen[bytes] | None = None
    while not stopped.is_set() and (child is None or child.poll() is None):
        if not is_resting(home):
            child = child or subprocess.Popen(command)
        elif child:
            print("A `dagster dev` runs: this daemon rests until it ends.", flush=True)  # noqa: T201 - our log
            _end(child)
            child = None
        stopped.wait(LOOK_S)
    if stopped.is_set() and child:
        _end(child)
    return child.returncode if child else 0


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _lock(home: Path) -> Path:
    return home / "run" / "dagster-dev.lock"


def main() -> None:
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    sys.exit(keep(Path(sys.argv[1]), sys.argv[2:], stopped))


if __name__ == "__main__":
    main()
