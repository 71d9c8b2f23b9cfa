"""Several workers of the stream under one parent: `bdp stream KIND --workers N`.

Should the parent be killed, its workers go on; those that start in their slots next take over from them.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

LOOK_S = 0.1

_ASKED = (0, -signal.SIGTERM, -signal.SIGINT)
"""How a worker ends that was told to; a signal that comes while Python starts ends it like any process."""

_log = logging.getLogger(__name__)


class WorkerEnded(Exception):  # noqa: N818 - reads as what it is
    """A worker ended that nobody had told to, or not as it should; no worker runs any more."""


def worker_command(kind: str, slot: int) -> list[str]:
    """What starts one worker by itself."""
    return [sys.executable, "-m", "bdp_assets.cli.main", "stream", kind, "--slot", str(slot)]


def run_crew(workers: int, command: Callable[[int], Sequence[str]]) -> None:
    """Run `command(slot)` for the slots 0 to `workers` - 1 until SIGTERM or SIGINT, which each is told.

    A worker that ends by itself is not started again: that is for whoever looks after this process, who
    shall know of it. The others are drained then. Raises WorkerEnded.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    crew = [subprocess.Popen(command(slot)) for slot in range(workers)]
    _log.info("%s workers started", workers, extra={"pids": [worker.pid for worker in crew]})
    while not stop.wait(LOOK_S) and all(worker.poll() is None for worker in crew):
        pass
    by_itself = [slot for slot, worker in enumerate(crew) if worker.poll() is not None and not stop.is_set()]
    for worker in crew:
        worker.terminate()
    codes = [worker.wait() for worker in crew]
    wrong = [slot for slot, code in enumerate(codes) if code not in _ASKED or slot in by_itself]
    if wrong:
        told = ", ".join(f"slot {slot} (exit code {codes[slot]})" for slot in wrong)
        raise WorkerEnded(f"Workers ended that should not have: {told}. All are stopped; the log says why.")
