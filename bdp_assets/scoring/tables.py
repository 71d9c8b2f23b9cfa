"""Monotone piecewise-linear tables: the arithmetic between the graphs and the probability.

No transcendental function and no fused or reordered sum: each value is one subtraction, one multiplication
and one addition in IEEE doubles, so a row gets the same bits on every CPU and in every batch.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from bdp_assets.scoring.bundle import BundleError, Table

Doubles = NDArray[np.float64]


class PiecewiseLinear:
    """A `Table` ready for arrays; constant outside its knots.

    Raises:
        BundleError: fewer than two knots, knots not ascending, or values descending.
    """

    def __init__(self, table: Table) -> None:
        x, y = np.array(table.x, dtype=np.float64), np.array(table.y, dtype=np.float64)
        if x.size < 2 or x.size != y.size or not (np.diff(x) > 0).all():
            raise BundleError("a table of the model needs two or more ascending knots; train the model again")
        if not (np.diff(y) >= 0).all() and not (np.diff(y) <= 0).all():
            raise BundleError("a table of the model is not monotone; train the model again")
        self._x, self._y = x, y
        self._slope = np.diff(y) / np.diff(x)
        self._low, self._high = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
        self._knots: list[float] = x.tolist()
        self._lines: list[list[float]] = np.column_stack(
            [x[:-1], y[:-1], self._slope, self._low, self._high]
        ).tolist()

    def of_one(self, value: float) -> float:
        """The same of a single number, to the bit: an array of one costs ten times as much."""
        knots = self._knots
        at = min(max(bisect_right(knots, value) - 1, 0), len(self._lines) - 1)
        start, height, slope, low, high = self._lines[at]
        inside = min(max(value, knots[0]), knots[-1])
        return min(max(height + slope * (inside - start), low), high)

    def __call__(self, values: Doubles) -> Doubles:
        """float64 [n] -> float64 [n]."""
        segment = np.clip(np.searchsorted(self._x, values, side="right") - 1, 0, self._slope.size - 1)
        inside = np.clip(values, self._x[0], self._x[-1])
        line = self._y[segment] + self._slope[segment] * (inside - self._x[segment])
        # Rounding may overshoot a knot by one unit in the last place, which would break monotony.
        return np.clip(line, self._low[segment], self._high[segment])
