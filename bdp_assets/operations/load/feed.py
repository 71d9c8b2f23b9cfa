"""Records made ahead of the clock, in a thread: making them must not hold up those that are due."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from itertools import islice

from bdp_assets.operations.traffic_journal import Outgoing

AHEAD = 20_000
"""Most records that wait: some 10 MB. Shorter runs are made as a whole before the first is sent."""
_LOOK_S = 0.02


class Feed:
    """The first `calls` records; the block begins when as many are made as may wait."""

    def __init__(self, records: Iterator[Outgoing], calls: int, ahead: int = AHEAD) -> None:
        self._records = islice(records, calls)
        self._made: queue.Queue[Outgoing | Exception | None] = queue.Queue(ahead)
        self._over = threading.Event()
        self._maker = threading.Thread(target=self._make, daemon=True)

    def __enter__(self) -> Feed:
        self._maker.start()
        while self._maker.is_alive() and not self._made.full():
            time.sleep(_LOOK_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._maker.join()

    def next(self) -> Outgoing | None:
        """Waits where they are not made fast enough; None: no more. Raises what the source raises."""
        record = self._made.get()
        if isinstance(record, Exception):
            raise record
        return record

    def _make(self) -> None:
        try:
            for record in self._records:
                if not self._put(record):
                    return
        except Exception as error:  # noqa: BLE001 - raised again by next()
            self._put(error)
        else:
            self._put(None)

    def _put(self, what: Outgoing | Exception | None) -> bool:
        while not self._over.is_set():
            try:
                self._made.put(what, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False
