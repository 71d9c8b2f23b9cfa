"""What the supervisor runs as `kafka`: the broker that was is fenced first, then it starts.

A transaction that a broker commits while the metadata name no leader for its partitions takes them for
deleted, and is written down as complete without a marker in any of them (seen with 4.3.1: "Couldn't find
leader endpoint"). What it held is committed or dropped by whatever comes next, records and offsets apart:
messages were predicted twice. Or nothing comes next, and readers wait at it for ever. It happens in two
moments:

- A controller believes for nine seconds in the session of a broker that ended, its own included. Started
  within that time, the broker takes over its partitions by what the metadata still say, and loses them when
  the session ends. So a controller alone runs first, until it has fenced the broker that was.
- A broker that is told to end has itself fenced, and answers clients a little longer: a fifth of a second on
  a busy machine, where the sixth stop left transactions open. So its properties say not to (`kafka.py`).

Imports next to nothing: it runs before every start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CONTROLLER = "controller.properties"
"""Beside the broker's properties: the same node as controller alone, with sessions that end soon."""
PATIENCE_S = 20.0
_FENCED = "Fencing broker"
_WRITTEN_S = 1.0
"""It says so before the record is in its log: ended at once, it was heard to fence, and had not (seen)."""
_RAN = "recovery-point-offset-checkpoint"


def has_run(data: Path) -> bool:
    """Whether there was a broker with that log folder."""
    return (data / _RAN).exists()


def fence(command: Sequence[str], patience_s: float = PATIENCE_S) -> bool:
    """Run the controller that the command starts until it has fenced the broker; False if it did not.

    It did not need to where the broker was fenced before it died.
    """
    fenced, over = threading.Event(), threading.Event()
    with _running(command) as controller:
        threading.Thread(target=_listen, args=(controller, fenced, over), daemon=True).start()
        if over.wait(patience_s):
            time.sleep(_WRITTEN_S)
    return fenced.is_set()


def _listen(controller: subprocess.Popen[str], fenced: threading.Event, over: threading.Event) -> None:
    """To its end, so that it never waits for a reader."""
    assert controller.stdout is not None  # noqa: S101 - it is a pipe
    for line in controller.stdout:
        sys.stdout.write(line)
        if _FENCED in line:
            fenced.set()
            over.set()
    over.set()


@contextmanager
def _running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Ended at the end, also when we are told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def main(command: Sequence[str]) -> None:
    """`command` starts the broker; its last argument are its properties."""
    properties = Path(command[-1])
    if has_run(properties.parent / "data"):
        fenced = fence([*command[:-1], str(properties.with_name(CONTROLLER))])
        sys.stdout.write(f"The broker of before is {'fenced' if fenced else 'not heard of'}.\n")
        sys.stdout.flush()
    os.execvp(command[0], list(command))  # noqa: S606 - replacing this process is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
