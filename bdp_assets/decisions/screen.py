"""Which rules may hit which rows: one compiled look at a chunk, of which most rows are hit by none.

Importing it loads Numba. What a condition asks of features are ranges that a row has to be in. What else it
asks is not looked at here: whether it holds is for the condition itself to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numba import from_dtype, types
from numpy.typing import NDArray

from bdp_assets.decisions.conditions import Condition, Joined, NumberIs
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.compiled.how import INT, INTS, INTS_OUT, compiled

Doubles = NDArray[np.float64]

_RANGE = np.dtype([("column", np.int64), ("low", np.float64), ("high", np.float64)])
_COLUMN = {name: number for number, name in enumerate(CATALOG.names)}
_ENDS: Mapping[str, Callable[[float], tuple[float, float]]] = {
    "<": lambda constant: (-math.inf, math.nextafter(constant, -math.inf)),
    "<=": lambda constant: (-math.inf, constant),
    ">": lambda constant: (math.nextafter(constant, math.inf), math.inf),
    ">=": lambda constant: (constant, math.inf),
    "==": lambda constant: (constant, constant),
}
"""Both ends included."""
_ROWS = types.Array(types.float64, 2, "C", readonly=True)
_IN_ORDER = types.Array(from_dtype(_RANGE), 1, "C", readonly=True)


class Screen:
    """The ranges of some conditions."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        ranges = [list(_needed(condition)) for condition in conditions]
        self._ranges = np.array([one for own in ranges for one in own], dtype=_RANGE)
        self._first = np.cumsum([0, *map(len, ranges)], dtype=np.int64)
        self._count = len(ranges)

    def possible(self, features: Doubles) -> list[tuple[int, int]]:
        """Rows, each with the number of a condition that may hold there, in order; it holds nowhere else.

        `features`: float64 [n, n_features], finite, in catalog order.
        """
        rows = np.ascontiguousarray(features, dtype=np.float64)
        found = np.empty(len(rows) * self._count, dtype=np.int64)
        count = _within(rows, self._ranges, self._first, found)
        return [divmod(place, self._count) for place in found[:count].tolist()] if count else []


def _needed(condition: Condition) -> Iterator[tuple[int, float, float]]:
    """Columns of features, and from where to where each has to be, or the condition does not hold."""
    if isinstance(condition, Joined) and condition.word == "and":
        for part in condition.parts:
            yield from _needed(part)
    elif isinstance(condition, NumberIs) and condition.field in _COLUMN and condition.symbol in _ENDS:
        yield _COLUMN[condition.field], *_ENDS[condition.symbol](condition.constant)


@compiled(INT(_ROWS, _IN_ORDER, INTS, INTS_OUT))
def _within(rows: Any, ranges: Any, first: Any, found: Any) -> Any:
    """Fill in row * conditions + condition where a row is in all ranges of a condition; returns how many."""
    count, conditions = 0, len(first) - 1
    for row in range(len(rows)):
        for condition in range(conditions):
            inside = True
            for i in range(first[condition], first[condition + 1]):
                one = ranges[i]
                inside &= one.low <= rows[row, one.column] <= one.high
            if inside:
                found[count] = row * conditions + condition
                count += 1
    return count
