"""What a reader hands out: a batch of a source's rows, and the position after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

Position = Mapping[str, Any]
"""Where a reader goes on, as JSON; only the reader that made it reads it."""


class Unreadable(NamedTuple):
    """A row that is none. `says` never holds its content."""

    place: int
    original: bytes
    says: str


@dataclass(frozen=True)
class Chunk:
    """Rows of one part of a source (a file; of a table there is one, without a name)."""

    part: str
    frame: pl.DataFrame
    """Readable rows, with at least the columns that the mapping names."""
    places: Sequence[int]
    """Of each row in the frame: its number in the part, from 1."""
    original: Callable[[int], bytes]
    """Row number of the frame -> the row as the source has it."""
    unreadable: Sequence[Unreadable]
    after: Position

    @classmethod
    def nothing(cls, part: str, after: Position) -> Chunk:
        """No rows, but a position to remember."""
        return cls(part, pl.DataFrame(), (), lambda _: b"", (), after)

    @property
    def rows(self) -> int:
        return len(self.frame) + len(self.unreadable)
