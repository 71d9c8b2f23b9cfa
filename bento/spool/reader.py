"""The reading end: arrivals in order, each as soon as it is known what became of it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bento.spool.frames import Came, Settled, unpacked
from bento.spool.segments import firsts, segment

CHUNK_BYTES = 1024 * 1024


class Ready(NamedTuple):
    """An arrival and its outcome."""

    came: Came
    outcome: Settled


class Reader:
    """Reads a spool's files behind the number `after`, while they are written."""

    def __init__(self, folder: Path, after: int) -> None:
        self._folder = folder
        self._after = after
        self._first: int | None = None
        self._at = 0
        self._waiting: deque[Came] = deque()
        self._outcomes: dict[int, Settled] = {}

    def hear(self, outcomes: Iterable[Settled]) -> None:
        """Take outcomes that are not in the files."""
        self._outcomes |= {one.number: one for one in outcomes if one.number > self._after}

    def ready(self, most: int) -> list[Ready]:
        """Up to so many, in order of their numbers; none: look again when more is written. Raises OSError."""
        found = list(self._known(most))
        while len(found) < most and self._read():
            found += self._known(most - len(found))
        return found

    def _known(self, most: int) -> Iterator[Ready]:
        waiting, outcomes = self._waiting, self._outcomes
        while most and waiting and (outcome := outcomes.pop(waiting[0].number, None)) is not None:
            self._after = outcome.number  # Heard, it may still come to be read.
            yield Ready(waiting.popleft(), outcome)
            most -= 1

    def _read(self) -> bool:
        """Take in the next frames; False at the end of what is written."""
        # Before the file: what is written behind its end now is in it when a later one is there.
        later = self._later()
        end = 0
        if self._first is not None:
            with suppress(FileNotFoundError):  # All of it was sent and forgotten.
                end = self._read_segment(segment(self._folder, self._first))
        if not end and later:
            self._first, self._at = later[0], 0
        return bool(end or later)

    def _read_segment(self, path: Path) -> int:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = os.pread(file, CHUNK_BYTES, self._at)
            end = self._take_all(content)
            if not end and len(content) == CHUNK_BYTES:  # A frame larger than that.
                end = self._take_all(os.pread(file, os.fstat(file).st_size, self._at))
        finally:
            os.close(file)
        self._at += end
        return end

    def _take_all(self, content: bytes) -> int:
        """Where the last whole frame ends."""
        end = 0
        for frame, end in unpacked(content):  # noqa: B007 - read after the loop
            if frame.number <= self._after:
                continue
            if isinstance(frame, Came):
                self._waiting.append(frame)
            else:
                self._outcomes[frame.number] = frame
        return end

    def _later(self) -> list[int]:
        """The segments behind this one."""
        return [one for one in firsts(self._folder) if self._first is None or one > self._first]
