"""What came and what became of it, into the spool; a disk that is full is a 503."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from bento.errors import spool_failed
from bento.spool.frames import Arrival, Settled
from bento.spool.spool import Spool

WrittenT = TypeVar("WrittenT")
NumbersT = TypeVar("NumbersT")

_log = logging.getLogger("bdp.api.entry")


class Entry:
    """What the spool says of a chunk, from its arrival to its outcome: none stays without one."""

    def __init__(self, spool: Spool, arrivals: Sequence[Arrival]) -> None:
        """Raises ApiError 503: nothing was written."""
        self._spool = spool
        self._open = _on_disk(spool.came, arrivals)

    def __enter__(self) -> None:
        pass

    def settle(self, decisions: Mapping[int, bytes]) -> None:
        """The arrivals that are named go to the stream, each with its decision or b""; others not.

        Raises ApiError 503.
        """
        outcomes = [
            Settled(number, i in decisions, decisions.get(i, b"")) for i, number in enumerate(self._open)
        ]
        self._open = []
        _on_disk(self._spool.settled, outcomes)

    def __exit__(self, *_: object) -> None:
        """Where a defect stopped us, the stream gets what came: it may have been claimed."""
        if self._open:
            with suppress(OSError):  # Written with the next that can be.
                self._spool.settled([Settled(number, sends=True) for number in self._open])


def _on_disk(write: Callable[[WrittenT], NumbersT], written: WrittenT) -> NumbersT:
    try:
        return write(written)
    except OSError as error:
        _log.error("the spool can not be written", extra={"reason": error.strerror})
        raise spool_failed() from error
