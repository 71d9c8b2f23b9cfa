"""The writing end: append what came and what became of it; forget what was sent."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Literal

from bdp_assets.contracts.transaction import MAX_VALUE_BYTES
from bento.spool.frames import Arrival, Came, Frame, Settled, packed
from bento.spool.segments import (
    SEGMENT_BYTES,
    Held,
    SentMark,
    first_of,
    firsts,
    left_folder,
    mended,
    own_folder,
    require_room,
    segment,
    segments,
)

DECISION_BYTES = 8 * 1024
"""Room that is kept for an outcome: a decision with its features and reasons is some 3 kB."""

CALL_BYTES = MAX_VALUE_BYTES + DECISION_BYTES
"""Room that any single call has enough of."""
State = Literal["ok", "full", "failed"]


class Spool:
    """One process's spool. One thread writes; the one that drains it reads the files and calls `forget`.

    `most_bytes` on disk; `syncs`: every write reaches the disk, not just the system's cache.
    """

    def __init__(self, root: Path, most_bytes: int, *, syncs: bool = False, held: Held | None = None) -> None:
        """Take up a folder (`held`, or the first that is free), with what a process left in it.

        It starts on a full disk, too, to drain it. Raises OSError.
        """
        self._root = root
        self.folder, self._lock_file = held or own_folder(root)
        self.written = threading.Event()
        """Set whenever there is something new to send: an arrival without its outcome is not."""
        self._most_bytes = most_bytes
        self._syncs = syncs
        self._late: list[Settled] = []
        self._failed = False
        self._sizes: dict[int, int] = {}
        self._guard = threading.Lock()
        self._mark = SentMark(self.folder)
        # Segments that are gone were sent, whether or not a full disk took the mark.
        self.sent = max([self._mark.read(), *(first - 1 for first in firsts(self.folder)[:1])])
        open_, last = self._taken_up()
        self._next = last + 1
        self._file = self._opened(self._next)
        with suppress(OSError):  # They are in `late`.
            self.settled([Settled(number, sends=True) for number in open_])

    def _taken_up(self) -> tuple[list[int], int]:
        """Arrivals without an outcome that a process left here, and the last number it gave."""
        open_: dict[int, None] = {}
        last = self.sent
        for path in segments(self.folder):
            last = max(last, first_of(path) - 1)
            for frame in mended(path):
                if isinstance(frame, Came):
                    open_[frame.number] = None
                    last = max(last, frame.number)
                else:
                    open_.pop(frame.number, None)
            self._sizes[first_of(path)] = path.stat().st_size
        return [number for number in open_ if number > self.sent], last

    @property
    def state(self) -> State:
        """Whether calls can be written down: `full` at the bound; `failed`: the disk refused the last one."""
        if self._failed:
            return "failed"
        return "ok" if self.size_bytes + CALL_BYTES <= self._most_bytes else "full"

    def look(self) -> None:
        """If the disk refused the last call, see whether it has room for one: nobody may send any by now."""
        if self._failed:
            with suppress(OSError):
                require_room(self.folder, CALL_BYTES)
                self._failed = False

    @property
    def late(self) -> Sequence[Settled]:
        """Outcomes that a full disk refused: they are not in the files, but count."""
        return tuple(self._late)

    @property
    def size_bytes(self) -> int:
        return sum(self._sizes.copy().values())

    @property
    def waiting(self) -> int:
        """How many arrivals were not sent yet, or not settled."""
        return self._next - 1 - self.sent

    def has_room(self, values: Sequence[bytes]) -> bool:
        """Whether these values, and their decisions, fit."""
        coming = sum(map(len, values)) + DECISION_BYTES * len(values)
        return self.size_bytes + coming <= self._most_bytes

    def came(self, arrivals: Sequence[Arrival]) -> list[int]:
        """Write what came; its numbers. Raises OSError: nothing was written."""
        first = self._next
        frames = [Came(first + i, arrival) for i, arrival in enumerate(arrivals)]
        self._append(frames)
        self._next += len(frames)
        return list(range(first, self._next))

    def settled(self, outcomes: Iterable[Settled]) -> None:
        """Write what became of arrivals. Raises OSError: it is written with the next that can be."""
        self._late += outcomes
        self._append([])

    def forget(self, number: int) -> None:
        """All up to that number was sent. Raises OSError: it is forgotten, but not marked."""
        self.sent = number
        self._drop_sent()  # First: a full disk may have no room for the mark.
        self._mark.write(number)

    def _drop_sent(self) -> None:
        with self._guard:
            gone = [first for first, after in pairwise(sorted(self._sizes)) if after <= self.sent + 1]
        for first in gone:
            segment(self.folder, first).unlink(missing_ok=True)
            with self._guard:
                self._sizes.pop(first, None)  # Both threads may come here.

    def left_behind(self) -> Spool | None:
        """Take up what a process left that did not come back, if there is any. Raises OSError."""
        held = left_folder(self._root)
        if held is None:
            return None
        try:
            return Spool(self._root, self._most_bytes, syncs=self._syncs, held=held)
        except OSError:
            os.close(held[1])  # Another process may have more luck.
            raise

    def leave(self) -> None:
        """All of it was sent: let go of the folder, so that nobody looks into it again. Raises OSError."""
        for path in segments(self.folder):
            path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._file)
        self._mark.close()
        os.close(self._lock_file)

    def _opened(self, first: int) -> int:
        path = segment(self.folder, first)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with self._guard:
            self._sizes.setdefault(first, 0)
        self._first = first
        return file

    def _append(self, frames: Sequence[Frame]) -> None:
        outcomes = self._late
        content = packed([*outcomes, *frames])
        if not content:
            return
        try:
            self._put(content)
        except OSError:
            self._failed = True
            raise
        self._failed = False
        self._late = []
        # Setting it again takes as long; who clears it reads after that, and so what is written by now.
        if outcomes and not self.written.is_set():
            self.written.set()

    def _put(self, content: bytes) -> None:
        # Sent segments leave the disk whole: of a small spool they are small, or it would stay full.
        if self._sizes[self._first] > min(SEGMENT_BYTES, self._most_bytes // 4):
            self._turn()
        before = self._sizes[self._first]
        try:
            self._write(content)
        except OSError:
            os.ftruncate(self._file, before)
            self._make_way()
            raise
        self._sizes[self._first] = before + len(content)

    def _turn(self) -> None:
        """Go on in a new segment."""
        new = self._opened(self._next)  # First: a disk may refuse it.
        os.close(self._file)
        self._file = new

    def _make_way(self) -> None:
        """Where nothing more can be written: what is full leaves the disk when it was sent, or now."""
        self._late = [one for one in self._late if one.number > self.sent]
        if self._first < self._next:
            self._turn()
        self._drop_sent()

    def _write(self, content: bytes) -> None:
        if os.write(self._file, content) < len(content):
            raise OSError(errno.ENOSPC, "no space left for the whole record")
        if self._syncs:
            os.fdatasync(self._file)
