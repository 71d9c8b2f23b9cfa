"""The least or greatest of any slice of an array."""

from __future__ import annotations

from typing import Any

from bdp_assets.features.compiled.codes import DISTINCT, LEAST, RUN, SINCE_FIRST
from bdp_assets.features.compiled.how import (
    BOOL,
    INT,
    INTS,
    PAIR,
    TABLE,
    TABLE_OUT,
    VOID,
    borrowing,
    compiled,
)

_SHORT = 512
"""Up to so many numbers, one after the other is faster than by a pyramid."""
_RUN = 4
"""log2 of how many numbers a run has, of which each level of a pyramid keeps the extreme."""


@compiled(INT(INT), borrows=True)
def pyramid_size(rows: int) -> int:
    """How many numbers the levels of a pyramid over `rows` numbers have; none where no slice can be long."""
    size = 0
    if rows <= _SHORT:
        return size
    rows >>= _RUN
    while rows:
        size += rows
        rows >>= _RUN
    return size


@borrowing
def looks_for_lowest(code: Any) -> Any:
    return code in (LEAST, SINCE_FIRST)


@compiled(VOID(TABLE, INTS, TABLE_OUT), borrows=True)
def build_pyramids(looks: Any, codes: Any, levels: Any) -> None:
    """For each look the extremes of its whole runs of 16 numbers, of 16 such runs, and so on, one level after
    the other. `codes`: the aggregate that looks."""
    for row in range(len(looks)):
        if codes[row] in (DISTINCT, RUN) or levels.shape[1] == 0:
            continue
        lowest = looks_for_lowest(codes[row])
        below = looks[row]
        start = 0
        while len(below) >> _RUN:
            level = levels[row, start : start + (len(below) >> _RUN)]
            for i in range(len(level)):
                best = below[i << _RUN]
                for j in range(i << _RUN, (i + 1) << _RUN):
                    best = min(best, below[j]) if lowest else max(best, below[j])
                level[i] = best
            start += len(level)
            below = level


@compiled(INT(INTS, INTS, PAIR, BOOL, INT), borrows=True)
def extreme(values: Any, levels: Any, within: tuple[int, int], lowest: bool, best: int) -> int:
    """The least or the greatest of `best` and the values `within` (start, end).

    Goes up a level where runs are whole: 30 steps a level, whatever the length.
    """
    start, end = within
    if end - start <= _SHORT:
        short = values[start:end]  # From 0, so that several numbers are compared at a time.
        if lowest:
            for i in range(len(short)):
                best = min(best, short[i])
        else:
            for i in range(len(short)):
                best = max(best, short[i])
        return best
    run = 1 << _RUN
    level, at, size = values, 0, len(values)
    while start < end:
        while start < end and (start & (run - 1) or end - start < run):
            best = min(best, level[start]) if lowest else max(best, level[start])
            start += 1
        while start < end and end & (run - 1):
            end -= 1
            best = min(best, level[end]) if lowest else max(best, level[end])
        start >>= _RUN
        end >>= _RUN
        if start < end:
            size >>= _RUN
            level = levels[at : at + size]
            at += size
    return best
