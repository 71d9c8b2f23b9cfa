"""Ends the process when a call of the driver does not come back.

`send_offsets_to_transaction` ignores its time-out while a group's coordinator is away, and may then wait for
ever, also once it is back (confluentinc/librdkafka#5456; met with 2.16 when the broker was restarted in
mid-commit). Nothing in the process can interrupt it. The broker has aborted the transaction long before, so
whoever starts again in this slot goes on from the committed offsets, as after any other death.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable

LOOKS, LOOK_EVERY_S = 12, 1.0
"""Longer than any call may take, and than a transaction lives. So many looks at one and the same call, not so
many seconds: a process that was stopped did not look."""
EXIT_CODE = 75

_log = logging.getLogger(__name__)


def _end() -> None:
    _log.error("a call of the Kafka driver does not come back: this process ends, its successor goes on")
    os._exit(EXIT_CODE)


class Stuck:
    """`with stuck:` around each call, from one thread. Who watches leaves with the object."""

    def __init__(
        self, looks: int = LOOKS, look_every_s: float = LOOK_EVERY_S, end: Callable[[], None] = _end
    ) -> None:
        self._looks = looks
        self._call = self._seen = self._count = 0
        self._inside = False
        gone = threading.Event()
        weakref.finalize(self, gone.set)
        watcher = (weakref.ref(self), gone, look_every_s, end)
        threading.Thread(target=_watch, args=watcher, name="stuck", daemon=True).start()

    def __enter__(self) -> None:
        self._call += 1
        self._inside = True

    def __exit__(self, *_: object) -> None:
        self._inside = False

    def look(self) -> bool:
        """Whether this is one look too many at the call that is under way."""
        self._count = self._count + 1 if self._inside and self._call == self._seen else 0
        self._seen = self._call
        return self._count >= self._looks


def _watch(
    watched: weakref.ref[Stuck], gone: threading.Event, look_every_s: float, end: Callable[[], None]
) -> None:
    while not gone.wait(look_every_s):
        if (stuck := watched()) is not None and stuck.look():
            end()
            return
        del stuck  # Not to be what keeps it.
