"""Columns, filters and formulas a catalog may name. Adding one is one entry here, for batch and online alike.

Only additions, multiplications, divisions and comparisons: their results are the same bits on every
processor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bdp_assets.features import compiled

Array = NDArray[Any]
Value = Any
"""Numbers in an array, or one."""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_NIGHT_ENDS = 6
_THURSDAY, _SATURDAY = 3, 5
_HIGH_VALUE = 50_000  # 500.00

NUMBERS = ("amount_base_minor",)
"""Integer columns that windows may aggregate, in minor units of the base currency."""
IDS = ("merchant_id", "merchant_category", "channel", "country", "device_id", "ip", "currency")
"""Text columns that windows may count the different values of, and that entities may have as keys."""
COLUMNS = ("ts_ms", *NUMBERS)
"""Integer columns of the transaction itself, for filters and row features."""
COLUMN_LIMIT = 2**40
"""Numbers are whole, from 0 to below this, so that every window sum is exact in 64 bits."""

LABEL_FILTER = "known_fraud"


def checked(name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The values of a column. Raises ValueError when one is outside the column's range."""
    if name in NUMBERS and values.size:
        check_range(name, values.min(), values.max())
    return values


def check_range(name: str, least: int, most: int) -> None:
    """Whether numbers from `least` to `most` are in the column's range. Raises ValueError."""
    if not 0 <= least <= most < COLUMN_LIMIT:
        raise ValueError(
            f"{name} has a number below 0 or above {COLUMN_LIMIT - 1}; the contract should refuse it"
        )


def _hour(ts_ms: Array) -> Array:
    return ts_ms // _HOUR_MS % 24


def _weekday(ts_ms: Array) -> Array:
    return (ts_ms // _DAY_MS + _THURSDAY) % 7  # As 1970-01-01 was.


def _divided(top: Value, bottom: Value, default: float) -> Value:
    if not isinstance(bottom, np.ndarray):
        return top / bottom if bottom > 0 else default
    out = np.empty(top.shape, dtype=np.float64)
    compiled.divided(np.asarray(top, np.float64), np.asarray(bottom, np.float64), default, out)
    return out


class Filter(NamedTuple):
    """Events whose `column`, in whole units, from some start and round a period, is from `least` to below
    `below`: numbers rather than code, since compiled loops test them, too (`compiled.packed`)."""

    column: str
    least: int = 0
    below: int = 2**62
    unit: int = 1
    start: int = 0
    period: int = 0
    """0: none."""

    def test(self, values: Value) -> Value:
        """Which integers match: booleans, or one."""
        place = values // self.unit + self.start
        if self.period:
            place %= self.period
        return (place >= self.least) & (place < self.below)


FILTERS: Mapping[str, Filter] = {
    "night": Filter("ts_ms", below=_NIGHT_ENDS, unit=_HOUR_MS, period=24),
    "weekend": Filter("ts_ms", least=_SATURDAY, unit=_DAY_MS, start=_THURSDAY, period=7),
    "high_value": Filter("amount_base_minor", least=_HIGH_VALUE),
}


class Formula(NamedTuple):
    """`compute` maps `arity` arrays and the declared default to numbers that are finite for finite input; and
    so, to the same bits, plain numbers of one transaction, for which arrays cost ten times as much."""

    arity: int
    compute: Callable[..., Value]


FORMULAS: Mapping[str, Formula] = {
    "major_units": Formula(1, lambda x, _: x / 100),
    # 0 at nothing, a half at 100.00, towards 1 for the largest: amounts on one scale without a logarithm.
    "saturation": Formula(1, lambda x, _: x / (x + 10_000)),
    "is_round": Formula(1, lambda x, _: x % 1_000 == 0),
    "is_high_value": Formula(1, lambda x, _: x >= _HIGH_VALUE),
    "hour": Formula(1, lambda ts, _: _hour(ts)),
    "weekday": Formula(1, lambda ts, _: _weekday(ts)),
    "is_weekend": Formula(1, lambda ts, _: FILTERS["weekend"].test(ts)),
    "is_night": Formula(1, lambda ts, _: FILTERS["night"].test(ts)),
    "is_zero": Formula(1, lambda x, _: x == 0),
    "difference": Formula(2, lambda x, y, _: x - y),
    "ratio": Formula(2, _divided),
    "zscore": Formula(3, lambda x, mean, std, default: _divided(x - mean, std, default)),
}
