"""Variances in whole numbers: 128 bits, rounded to a double once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bdp_assets.features.compiled.codes import SQUARE_BITS
from bdp_assets.features.compiled.how import BITS, DOUBLE, INT, compiled


@compiled(types.UniTuple(BITS, 2)(BITS, BITS), borrows=True)
def multiplied(a: Any, b: Any) -> Any:
    """The 128 bits of a product: the high and the low 64."""
    half, low32 = np.uint64(32), np.uint64(0xFFFFFFFF)
    a_high, a_low, b_high, b_low = a >> half, a & low32, b >> half, b & low32
    low, across, along = a_low * b_low, a_low * b_high, a_high * b_low
    middle = (low >> half) + (across & low32) + (along & low32)
    high = a_high * b_high + (across >> half) + (along >> half) + (middle >> half)
    return high, (middle << half) | (low & low32)


@compiled(DOUBLE(BITS, BITS), borrows=True)
def nearest(high: Any, low: Any) -> float:
    """The double that is nearest to 128 bits, to the even one of two: as Python rounds integers."""
    scale = 1.0
    if high:
        one, width = np.uint64(1), np.uint64(64)
        up = np.uint64(0)
        while not (high << up) >> np.uint64(63):
            up += one
        left = low << up
        if up:
            high = (high << up) | (low >> (width - up))
        low = high | (one if left else np.uint64(0))  # What is cut off decides between two halves only.
        scale = 2.0 ** np.float64(64 - np.int64(up))
    return np.float64(low) * scale


@compiled(DOUBLE(INT, INT, INT, INT), borrows=True)
def spread(n: int, total: int, squares_high: int, squares_low: int) -> float:
    """n * squares - total * total, exact before it is rounded to a double.

    Raises OverflowError from 2**128 on: a window of 2**25 events, all at the limit of the column.
    """
    bits, rest = np.uint64(SQUARE_BITS), np.uint64(64 - SQUARE_BITS)
    above = np.uint64(squares_high) >> rest
    low = (np.uint64(squares_high) << bits) + np.uint64(squares_low)
    above += np.uint64(low < np.uint64(squares_low))
    over, high = multiplied(np.uint64(n), above)
    carried, low = multiplied(np.uint64(n), low)
    high += carried
    if over or high < carried:
        raise OverflowError("a window's squares are too large to add up")
    less_high, less_low = multiplied(np.uint64(total), np.uint64(total))
    return nearest(high - less_high - np.uint64(low < less_low), low - less_low)
