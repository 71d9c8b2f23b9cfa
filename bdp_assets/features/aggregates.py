"""The aggregates: what they read of a window, and the one step in doubles that finishes them.

Every sum is a difference of running sums, so it costs the same for one event and for a million; extremes and
distinct counts have structures of their own (`slices`). All of it is exact integers; division and square root
happen once, at the end, so order and batch size can not change a bit. Adding an aggregate is one entry in
`AGGREGATES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SQUARE_BITS = 40
"""Squares are kept in two parts: their low 40 bits, and what is above."""


class Window(Protocol):
    """What an aggregate may read: int64 arrays [windows, rows]."""

    def sum(self, name: str) -> Ints:
        """`events` in the window; those `matching` the filter (all of them without one); of these the `total`
        of the column, and the `squares_high` and `squares_low` of its squares."""

    def lowest(self) -> Ints:
        """The column's least value over the matching events, `NONE_LOWEST` without one."""

    def highest(self) -> Ints:
        """Its greatest value, `NONE_HIGHEST` without one."""

    def last_value(self) -> Floats:
        """The column's value at the last matching event, NaN without one."""

    def last_age_ms(self) -> Floats:
        """Milliseconds since the last matching event, NaN without one."""

    def first_age_ms(self) -> Floats:
        """Milliseconds since the first matching event, NaN without one."""

    def distinct(self) -> Ints:
        """How many different values the column has in the matching events."""


NONE_LOWEST, NONE_HIGHEST = 2**40, -1


def _count(window: Window) -> Ints:
    return window.sum("matching")


def _total(window: Window) -> Ints:
    return window.sum("total")


def _mean(window: Window) -> Floats:
    return _divide(window.sum("total"), window.sum("matching"))


def _share(window: Window) -> Floats:
    return _divide(np.maximum(window.sum("matching"), 0), window.sum("events"))


def _least(window: Window) -> Floats:
    found = window.lowest()
    return np.where(found == NONE_LOWEST, np.nan, found)


def _greatest(window: Window) -> Floats:
    found = window.highest()
    return np.where(found == NONE_HIGHEST, np.nan, found)


def _last(window: Window) -> Floats:
    return window.last_value()


def _seconds_since_last(window: Window) -> Floats:
    return window.last_age_ms() / 1000


def _seconds_since_first(window: Window) -> Floats:
    return window.first_age_ms() / 1000


def _distinct(window: Window) -> Ints:
    return window.distinct()


def _std(window: Window) -> Floats:
    """Population standard deviation: sqrt((n * q - s * s) / (n * n)), the difference exact."""
    n = window.sum("matching")
    variance = _spread(window, n) / np.maximum(n * n, 1)
    return np.where(n > 0, np.sqrt(variance), np.nan)


def _divide(top: Ints, bottom: Ints) -> Floats:
    return np.where(bottom > 0, top / np.maximum(bottom, 1), np.nan)


_SAFE_TOTAL = 3_037_000_499  # floor(sqrt(2**63 - 1))


def _spread(window: Window, n: Ints) -> Floats:
    """n * q - s * s, exact before it is rounded to a double.

    For numbers of 0 and more q <= s * s, so up to `_SAFE_TOTAL` q fits in 64 bits; where n * q fits too, they
    will do. Other cells (somebody spends more than 30 million a window) are worked out in Python integers.
    """
    s, high, low = window.sum("total"), window.sum("squares_high"), window.sum("squares_low")
    q = (high << SQUARE_BITS) + low
    spread: Floats = (n * q - s * s).astype(np.float64)
    unsafe = (s > _SAFE_TOTAL) | (n * q.astype(np.float64) > 2.0**62)
    for cell in map(tuple, np.argwhere(unsafe).tolist()):
        squares = (int(high[cell]) << SQUARE_BITS) + int(low[cell])
        spread[cell] = float(int(n[cell]) * squares - int(s[cell]) ** 2)
    return spread


class Aggregate(NamedTuple):
    """`finish` turns a window into numbers: NaN where there is no answer, for the default.

    `sums`: which sums it reads. The rest says what a spec must or may give it: `column`, none, a `number` or
    an `id`; `tiles` and `all_history`, whether it can be answered from tiles, and over all history.
    """

    finish: Callable[[Window], Floats | Ints]
    sums: tuple[str, ...] = ()
    column: Literal["number", "id"] | None = None
    needs_filter: bool = False
    takes_current: bool = False
    tiles: bool = True
    all_history: bool = True


AGGREGATES: Mapping[str, Aggregate] = {
    "count": Aggregate(_count, ("matching",), takes_current=True),
    "sum": Aggregate(_total, ("total",), column="number", takes_current=True),
    "mean": Aggregate(_mean, ("total", "matching"), column="number", takes_current=True),
    "std": Aggregate(
        _std,
        ("matching", "total", "squares_high", "squares_low"),
        column="number",
        takes_current=True,
        tiles=False,
    ),
    "min": Aggregate(_least, column="number", takes_current=True),
    "max": Aggregate(_greatest, column="number", takes_current=True),
    "last": Aggregate(_last, column="number", tiles=False),
    "share": Aggregate(_share, ("matching", "events"), needs_filter=True, takes_current=True),
    "seconds_since_last": Aggregate(_seconds_since_last),
    "seconds_since_first": Aggregate(_seconds_since_first),
    "distinct": Aggregate(_distinct, column="id", tiles=False, all_history=False),
}
