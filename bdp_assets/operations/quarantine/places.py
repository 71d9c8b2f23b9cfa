"""Where a row stands in quarantine, as people name it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Place(NamedTuple):
    """A row's day (UTC) and its number among the day's raw rows; as text `2026-02-03:17`."""

    day: date
    offset: int

    def __str__(self) -> str:
        return f"{self.day}:{self.offset}"


def place_of(text: str) -> Place:
    """Raises ValueError for anything but DAY:OFFSET."""
    day, _, offset = text.partition(":")
    try:
        if offset.isdecimal():
            return Place(date.fromisoformat(day), int(offset))
    except ValueError:
        pass
    raise ValueError("write DAY:OFFSET, such as 2026-02-03:17")
