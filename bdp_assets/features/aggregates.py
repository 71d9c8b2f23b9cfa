"""The aggregates: sums of integers over a window, and the one step in doubles that finishes them.

An aggregate reads differences of prefix sums, so it costs the same for one event and for a million. Every
sum is an exact integer; division and square root happen once, at the end, so order and batch size can not
change a bit. Adding an aggregate is one entry in `AGGREGATES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Window(Protocol):
    """What an aggregate may read: int64 arrays [windows, rows]."""

    def events(self) -> Ints:
        """Number of events in the window."""

    def matching(self) -> Ints:
        """Number of those that pass the filter (all of them without one)."""

    def total(self) -> Ints:
        """Sum of the column over the matching events."""

    def squares(self) -> Ints:
        """Sum of the column's squares, modulo 2**64."""

    def exact_squares(self, window: int, row: int) -> int:
        """The same for one cell as an exact Python integer."""

    def age_ms(self) -> Ints:
        """Milliseconds since the window's last event; any number where there is none."""


def _count(window: Window) -> Ints:
    return window.matching()


def _sum(window: Window) -> Ints:
    return window.total()


def _mean(window: Window) -> Floats:
    return _divide(window.total(), window.matching())


def _share(window: Window) -> Floats:
    return _divide(np.maximum(window.matching(), 0), window.events())


def _seconds_since_last(window: Window) -> Floats:
    return np.where(window.events() > 0, window.age_ms() / 1000, np.nan)


def _std(window: Window) -> Floats:
    """Population standard deviation: sqrt((n * q - s * s) / (n * n)), the difference exact."""
    n = window.matching()
    variance = _spread(window, n) / np.maximum(n * n, 1)
    return np.where(n > 0, np.sqrt(variance), np.nan)


def _divide(top: Ints, bottom: Ints) -> Floats:
    return np.where(bottom > 0, top / np.maximum(bottom, 1), np.nan)


_SAFE_TOTAL = 3_037_000_499  # floor(sqrt(2**63 - 1))


def _spread(window: Window, n: Ints) -> Floats:
    """n * q - s * s, exact before it is rounded to a double.

    For numbers of 0 and more q <= s * s, so up to `_SAFE_TOTAL` q did not wrap; where n * q fits too, 64 bits
    will do. Other cells (somebody spends more than 30 million a window) are worked out in Python integers.
    """
    s, q = window.total(), window.squares()
    spread: Floats = (n * q - s * s).astype(np.float64)
    unsafe = (s > _SAFE_TOTAL) | (n * q.astype(np.float64) > 2.0**62)
    if unsafe.any():
        for window_, row in np.argwhere(unsafe).tolist():
            cell = window_, row
            spread[cell] = float(int(n[cell]) * window.exact_squares(*cell) - int(s[cell]) ** 2)
    return spread


class Aggregate(NamedTuple):
    """`finish` turns what it `reads` of a window into numbers: NaN where there is no answer, for the default.

    The flags say what a spec must or may give it.
    """

    finish: Callable[[Window], Floats | Ints]
    reads: tuple[str, ...]
    needs_column: bool = False
    needs_filter: bool = False
    takes_filter: bool = True
    takes_current: bool = True
    from_tiles: bool = True


AGGREGATES: Mapping[str, Aggregate] = {
    "count": Aggregate(_count, ("matching",)),
    "sum": Aggregate(_sum, ("total",), needs_column=True),
    "mean": Aggregate(_mean, ("total", "matching"), needs_column=True),
    "std": Aggregate(_std, ("matching", "total", "squares"), needs_column=True, from_tiles=False),
    "share": Aggregate(_share, ("matching", "events"), needs_filter=True),
    "seconds_since_last": Aggregate(
        _seconds_since_last, ("events",), takes_filter=False, takes_current=False, from_tiles=False
    ),
}
