"""Which rules may hit which rows: one compiled look at a chunk, of which most rows are hit by none.

Importing it loads Numba. What a condition asks of features are ranges that a row has to be in. What else it
asks is not looked at here: whether it holds is for the condition itself to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from bdp_assets.decisions.conditions import Condition, Joined, NumberIs
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.compiled.how import DOUBLES, INT, INTS, INTS_OUT, compiled

Doubles = NDArray[np.float64]

_COLUMN = {name: number for number, name in enumerate(CATALOG.names)}
_RANGES: Mapping[str, Callable[[float], tuple[float, float]]] = {
    "<": lambda constant: (-math.inf, math.nextafter(constant, -math.inf)),
    "<=": lambda constant: (-math.inf, constant),
    ">": lambda constant: (math.nextafter(constant, math.inf), math.inf),
    ">=": lambda constant: (constant, math.inf),
    "==": lambda constant: (constant, constant),
}
"""Both ends included."""
_ROWS = types.Array(types.float64, 2, "C", readonly=True)


class Screen:
    """The ranges of some conditions."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        ranges = [list(_needed(condition)) for condition in conditions]
        every = [one for own in ranges for one in own]
        self._first = np.cumsum([0, *map(len, ranges)], dtype=np.int64)
        self._column = np.array([column for column, _, _ in every], dtype=np.int64)
        self._low = np.array([low for _, low, _ in every], dtype=np.float64)
        self._high = np.array([high for _, _, high in every], dtype=np.float64)
        self._count = len(ranges)

    def possible(self, features: Doubles) -> list[tuple[int, int]]:
        """Rows, each with the number of a condition that may hold there, in order; it holds nowhere else.

        `features`: float64 [n, n_features], finite, in catalog order.
        """
        rows = np.ascontiguousarray(features, dtype=np.float64)
        found = np.empty(len(rows) * self._count, dtype=np.int64)
        count = _within(rows, self._first, self._column, self._low, self._high, found)
        return [divmod(place, self._count) for place in found[:count].tolist()] if count else []


def _needed(condition: Condition) -> Iterator[tuple[int, float, float]]:
    """Columns of features, and from where to where each has to be, or the condition does not hold."""
    if isinstance(condition, Joined) and condition.word == "and":
        for part in condition.parts:
            yield from _needed(part)
    elif isinstance(condition, NumberIs) and condition.field in _COLUMN and condition.symbol in _RANGES:
        yield _COLUMN[condition.field], *_RANGES[condition.symbol](condition.constant)


@compiled(INT(_ROWS, INTS, INTS, DOUBLES, DOUBLES, INTS_OUT))
def _within(  # noqa: PLR0913, PLR0917 - the arrays of `Screen`
    rows: Any, first: Any, column: Any, low: Any, high: Any, found: Any
) -> Any:
    """Fill in row * conditions + condition where a row is in all ranges of a condition; returns how many."""
    count, conditions = 0, len(first) - 1
    for row in range(len(rows)):
        for condition in range(conditions):
            inside = True
            for i in range(first[condition], first[condition + 1]):
                number = rows[row, column[i]]
                inside &= low[i] <= number <= high[i]
            if inside:
                found[count] = row * conditions + condition
                count += 1
    return count
