"""Where times stand among the ascending keys of a history."""

from __future__ import annotations

from typing import Any

from bdp_assets.features.compiled.codes import ENDLESS, EXACT, SHIFT, STEP
from bdp_assets.features.compiled.how import INT, INTS, borrowing, compiled
from bdp_assets.features.compiled.times import floored


@compiled(INT(INTS, INT, INT), borrows=True)
def place(keys: Any, wanted: int, near: int) -> int:
    """How many of the ascending keys are below `wanted`; sought from `near` on, in steps that double."""
    step = 1
    if near < len(keys) and keys[near] < wanted:
        low = near + 1
        high = low
        while high < len(keys) and keys[high] < wanted:
            low = high + 1
            high += step
            step *= 2
        high = min(high, len(keys))
    else:
        high = min(near, len(keys))
        low = high - 1
        while low >= 0 and keys[low] >= wanted:
            high = low
            low -= step
            step *= 2
        low = max(low + 1, 0)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@borrowing
def find_places(  # noqa: PLR0913, PLR0917 - a history, a bound, and queries
    keys: Any, bounds: Any, b: Any, frame: Any, entity: Any, ts: Any, exact_from: Any, near: Any, places: Any
) -> Any:
    """Where a bound lies for each query: how many sorted rows are before it, `places[b]`; and the last.

    `frame`: shift, span, fold; `exact_from`: how many rows are not exact (empty: all are); `near`: where it
    lay for the query before them.
    """
    shift, span, fold = frame
    for q in range(len(ts)):
        first = entity[q] * span
        if bounds[b, ENDLESS]:
            near = place(keys, first, near)
        else:
            time = floored(ts[q] - bounds[b, SHIFT], bounds[b, STEP])
            near = place(keys, first + min(max(time + shift, 1), span - 1), near)
            if len(exact_from) and near < exact_from[q]:
                if bounds[b, EXACT]:
                    near = exact_from[q]
                elif fold:  # What is folded lies before a bound when its fold begins before it.
                    late = -(-time // fold) * fold
                    near = place(keys, first + min(max(late + shift, 1), span - 1), near)
                    near = min(near, exact_from[q])
        places[b, q] = near
    return near
