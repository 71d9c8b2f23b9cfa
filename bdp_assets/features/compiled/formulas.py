"""Row features: numbers of a transaction, and features before them, made into others."""

from __future__ import annotations

from typing import Any

import numpy as np

from bdp_assets.features.compiled.codes import (
    DAY_MS,
    DIFFERENCE,
    FORMULA,
    FORMULA_INPUT,
    FORMULA_SLOT,
    HIGH_VALUE,
    HOUR_MS,
    IS_HIGH_VALUE,
    IS_ROUND,
    IS_WEEKEND,
    IS_ZERO,
    MAJOR_UNITS,
    NIGHT_ENDS,
    OF_HOUR,
    OF_WEEKDAY,
    RATIO,
    SATURATION,
    SATURDAY,
    THURSDAY,
    ZSCORE,
)
from bdp_assets.features.compiled.how import DOUBLES, MATRIX_OUT, TABLE, VOID, borrowing, compiled


@borrowing
def hour(time: Any) -> Any:
    return time // HOUR_MS % 24


@borrowing
def weekday(time: Any) -> Any:
    return (time // DAY_MS + THURSDAY) % 7  # As 1970-01-01 was.


@borrowing
def of_time(code: Any, time: Any) -> Any:
    """A formula of whole milliseconds; of those, night is the last."""
    if code == OF_HOUR:
        return np.float64(hour(time))
    if code == OF_WEEKDAY:
        return np.float64(weekday(time))
    if code == IS_WEEKEND:
        return np.float64(weekday(time) >= SATURDAY)
    return np.float64(hour(time) < NIGHT_ENDS)


@borrowing
def divided(top: Any, bottom: Any, default: Any) -> Any:
    return top / bottom if bottom > 0 else default


@borrowing
def computed(code: Any, given: Any, default: Any) -> Any:  # noqa: PLR0911 - one for each formula
    """A formula of its inputs, of which there are as many as it takes."""
    x, y, z = given
    if code == RATIO:
        return divided(x, y, default)
    if code == ZSCORE:
        return divided(x - y, z, default)
    if code == DIFFERENCE:
        return x - y
    if code == MAJOR_UNITS:
        return x / 100
    if code == SATURATION:
        return x / (x + 10_000)
    if code == IS_ROUND:
        return np.float64(np.floor(x) == x and np.int64(x) % 1_000 == 0)
    if code == IS_HIGH_VALUE:
        return np.float64(x >= HIGH_VALUE)
    if code == IS_ZERO:
        return np.float64(x == 0)
    return of_time(code, np.int64(np.floor(x)))


@borrowing
def value(at: Any, row: Any, columns: Any, matrix: Any) -> Any:
    """An input of a formula: of a feature, or of a column (-1 the first, -2 the second)."""
    if at < 0:
        return np.float64(columns[-1 - at, row])
    return matrix[at, row]


@compiled(VOID(TABLE, DOUBLES, TABLE, MATRIX_OUT), borrows=True)
def compute(formulas: Any, defaults: Any, columns: Any, matrix: Any) -> None:
    """Write row features into `matrix`, float64 [features, rows], one after the other: each may read those
    before it.

    `formulas`: a line for each (see `codes`); `defaults` of all features; `columns`: int64 [columns, rows],
    so small that doubles hold them exactly.
    """
    for line in formulas:
        code, slot = line[FORMULA], line[FORMULA_SLOT]
        first, second, third = line[FORMULA_INPUT], line[FORMULA_INPUT + 1], line[FORMULA_INPUT + 2]
        for row in range(matrix.shape[1]):
            given = (
                value(first, row, columns, matrix),
                value(second, row, columns, matrix),
                value(third, row, columns, matrix),
            )
            matrix[slot, row] = computed(code, given, defaults[slot])
