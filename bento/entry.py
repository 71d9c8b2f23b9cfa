"""What came and what became of it, into the spool; a disk that is full is a 503."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from bento.errors import spool_failed
from bento.spool.frames import Arrival, Settled
from bento.spool.spool import Spool

_log = logging.getLogger("bdp.api.entry")


class Entry:
    """What the spool says of a chunk, from its arrival to its outcome: none stays without one."""

    def __init__(self, spool: Spool, arrivals: Sequence[Arrival]) -> None:
        """Raises ApiError 503: nothing was written."""
        self._spool = spool
        with _disk():
            self._open = spool.came(arrivals)

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
        with _disk():
            self._spool.settled(outcomes)

    def __exit__(self, *_: object) -> None:
        """Where a defect stopped us, the stream gets what came: it may have been claimed."""
        if self._open:
            with suppress(OSError):  # Written with the next that can be.
                self._spool.settled([Settled(number, sends=True) for number in self._open])


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.error("the spool can not be written", extra={"reason": error.strerror})
        raise spool_failed() from error
