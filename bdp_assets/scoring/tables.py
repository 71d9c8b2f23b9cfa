"""Monotone piecewise-linear tables: the arithmetic between the graphs and the probability.

No transcendental function and no fused or reordered sum: each value is one subtraction, one multiplication
and one addition in IEEE doubles, so a row gets the same bits on every CPU and in every batch.
"""

from __future__ import annotations

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

    @property
    def lines(self) -> Doubles:
        """Start, end, height at the start, slope, lowest and highest value of each line: float64 [n, 6]."""
        x, y = self._x, self._y
        return np.column_stack([x[:-1], x[1:], y[:-1], self._slope, self._low, self._high])

    def __call__(self, values: Doubles) -> Doubles:
        """float64 [n] -> float64 [n]."""
        segment = np.clip(np.searchsorted(self._x, values, side="right") - 1, 0, self._slope.size - 1)
        inside = np.clip(values, self._x[0], self._x[-1])
        line = self._y[segment] + self._slope[segment] * (inside - self._x[segment])
        # Rounding may overshoot a knot by one unit in the last place, which would break monotony.
        return np.clip(line, self._low[segment], self._high[segment])
