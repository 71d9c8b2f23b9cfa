"""Columns, filters and formulas a catalog may name, for batch and online alike. Adding one is one entry here,
and for a formula its branch in `compiled.formulas`.

Only additions, multiplications, divisions and comparisons: their results are the same bits on every
processor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bdp_assets.features.compiled import codes

Value = Any
"""Numbers in an array, or one."""

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
    "night": Filter("ts_ms", below=codes.NIGHT_ENDS, unit=codes.HOUR_MS, period=24),
    "weekend": Filter("ts_ms", least=codes.SATURDAY, unit=codes.DAY_MS, start=codes.THURSDAY, period=7),
    "high_value": Filter("amount_base_minor", least=codes.HIGH_VALUE),
}


class Formula(NamedTuple):
    """`arity` numbers, and the declared default, to one that is finite for finite input: `code` says which,
    and `compiled.formulas` how."""

    arity: int
    code: int


FORMULAS: Mapping[str, Formula] = {
    "major_units": Formula(1, codes.MAJOR_UNITS),
    # 0 at nothing, a half at 100.00, towards 1 for the largest: amounts on one scale without a logarithm.
    "saturation": Formula(1, codes.SATURATION),
    "is_round": Formula(1, codes.IS_ROUND),
    "is_high_value": Formula(1, codes.IS_HIGH_VALUE),
    "hour": Formula(1, codes.OF_HOUR),
    "weekday": Formula(1, codes.OF_WEEKDAY),
    "is_weekend": Formula(1, codes.IS_WEEKEND),
    "is_night": Formula(1, codes.IS_NIGHT),
    "is_zero": Formula(1, codes.IS_ZERO),
    "difference": Formula(2, codes.DIFFERENCE),
    "ratio": Formula(2, codes.RATIO),
    "zscore": Formula(3, codes.ZSCORE),
}
