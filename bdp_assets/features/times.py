"""Lengths of time, in milliseconds."""

from __future__ import annotations

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LONGEST_WINDOW = 90 * DAY
ALL_HISTORY = 2**50
"""A window that reaches back to the first event: far longer than epoch time."""


def span(ms: int) -> str:
    """A duration in its largest whole unit: 30d, 6h, 10min, 5s, 7ms."""
    if ms == ALL_HISTORY:
        return "all history"
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"
