"""Every feature of every query, in one pass over the queries.

Arrays are passed one by one where they come from Python: out of a tuple, each would be counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bdp_assets.features.compiled.codes import (
    CODE,
    COUNT,
    DISTINCT,
    END,
    ENDLESS,
    EVENTS,
    EXACT,
    FIELD,
    FROM,
    HIGH,
    HOP,
    LAST,
    LOOK,
    LOW,
    MATCHING,
    MEAN,
    NOTHING,
    OWN,
    OWN_LOOK,
    PICK,
    RUN_LOOK,
    SHARE,
    SHIFT,
    SINCE_FIRST,
    SINCE_LAST,
    START,
    STEP,
    SUM,
    TO,
    TOTAL,
)
from bdp_assets.features.compiled.extremes import extreme, looks_for_lowest
from bdp_assets.features.compiled.how import (
    DOUBLES,
    INT,
    INTS,
    MATRIX_OUT,
    TABLE,
    VOID,
    borrowing,
    compiled,
)
from bdp_assets.features.compiled.rooms import BLOCK, block_for
from bdp_assets.features.compiled.spreads import spread
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


@borrowing
def add_up_between(  # noqa: PLR0913, PLR0917 - a sum, its ends, and queries
    running: Any, sums: Any, s: Any, places: Any, n: Any, found: Any
) -> None:
    """A sum of each query, `found[s]`: the difference of two running sums."""
    field, start, end = sums[s, FIELD], sums[s, FROM], sums[s, TO]
    for q in range(n):
        found[s, q] = running[field, places[end, q]] - running[field, places[start, q]]


@borrowing
def of_sums(lines: Any, k: Any, sums: Any, found: Any) -> None:
    """An aggregate of sums, float64 [queries]; NaN where there is no answer."""
    code, matching, total, events = lines[k, CODE], lines[k, MATCHING], lines[k, TOTAL], lines[k, EVENTS]
    if code in (COUNT, SUM):
        whole = matching if code == COUNT else total
        for q in range(len(found)):
            found[q] = sums[whole, q]
    elif code == SHARE:
        for q in range(len(found)):
            found[q] = max(sums[matching, q], 0) / sums[events, q] if sums[events, q] > 0 else np.nan
    elif code == MEAN:
        for q in range(len(found)):
            found[q] = sums[total, q] / sums[matching, q] if sums[matching, q] > 0 else np.nan
    else:
        deviations(sums[matching], sums[total], sums[lines[k, HIGH]], sums[lines[k, LOW]], found)


@borrowing
def deviations(n: Any, total: Any, high: Any, low: Any, found: Any) -> None:
    """The standard deviation of each query's `n` numbers, from their sum and the parts of their squares."""
    for q in range(len(found)):
        found[q] = np.nan
        if n[q] > 0:
            found[q] = np.sqrt(spread(n[q], total[q], high[q], low[q]) / np.float64(n[q] * n[q]))


@borrowing
def different(before: Any, start: Any, end: Any) -> Any:
    """How many values stood before the start for the last time."""
    count, window = 0, before[start:end]
    for i in range(len(window)):
        count += window[i] < start
    return np.float64(count)


@borrowing
def of_extreme(best: Any, line: Any, picked: Any, ts: Any) -> Any:
    """What an extreme that was found says. `line`: code, hop, and the column that `last` picks from."""
    code, hop, pick = line
    if code == LAST:
        return np.float64(picked[pick, best])
    if code in (SINCE_LAST, SINCE_FIRST):
        return np.float64(ts - floored(best, hop)) / 1000
    return np.float64(best)


@borrowing
def of_looks(  # noqa: PLR0913, PLR0917 - what is looked at, and queries
    line: Any, looks: Any, levels: Any, picked: Any, places: Any, ts: Any, own: Any, found: Any
) -> None:
    """An aggregate of what rows look like, float64 [queries]; NaN where there is no answer. `own`: what each
    query itself looks like, empty where it does not count."""
    code, look, nothing = line[CODE], line[LOOK], line[NOTHING]
    lowest = looks_for_lowest(code)
    values, pyramid = looks[look], levels[look]
    for q in range(len(found)):
        start, end = places[line[START], q], places[line[END], q]
        if line[RUN_LOOK] >= 0 and end > start:
            start = max(start, looks[line[RUN_LOOK], end - 1])
        found[q] = np.nan
        if code == DISTINCT:
            found[q] = different(values, start, end)
            continue
        best = nothing
        if len(own):
            best = min(best, own[q]) if lowest else max(best, own[q])
        best = extreme(values, pyramid, (start, end), lowest, best)
        if best != nothing:
            found[q] = of_extreme(best, (code, line[HOP], line[PICK]), picked, ts[q])


@borrowing
def of_run(line: Any, looks: Any, running: Any, places: Any, found: Any) -> None:
    """How many matched since the run began that the last event is in, float64 [queries]."""
    for q in range(len(found)):
        start, end = places[line[START], q], places[line[END], q]
        if end > start:
            start = max(start, looks[line[RUN_LOOK], end - 1])
        found[q] = running[end] - running[start]


@borrowing
def answer_in(  # noqa: PLR0913, PLR0917 - all that a plan runs on, and room
    block: Any,
    keys: Any,
    running: Any,
    looks: Any,
    levels: Any,
    picked: Any,
    shift: Any,
    span: Any,
    entity: Any,
    ts: Any,
    own: Any,
    exact_from: Any,
    bounds: Any,
    sums: Any,
    lines: Any,
    fold: Any,
    scale: Any,
    default: Any,
    slots: Any,
    rows: Any,
    out: Any,
) -> None:
    """What `answer` says, in the room that a `block` is.

    Step by step for a block of queries, so that each step is one tight loop over what the caches hold.
    """
    places, near, summed = block.places, block.near, block.summed
    near[:] = 0
    for first in range(0, len(ts), BLOCK):
        stop = min(first + BLOCK, len(ts))
        n = stop - first
        found = block.found[:n]
        whose, when = entity[first:stop], ts[first:stop]
        inexact = exact_from[first:stop] if len(exact_from) else exact_from
        frame = (shift, span, fold)
        for b in range(len(bounds)):
            near[b] = find_places(keys, bounds, b, frame, whose, when, inexact, near[b], places)
        for s in range(len(sums)):
            add_up_between(running, sums, s, places, n, summed)
            if sums[s, OWN] >= 0:
                for q in range(n):
                    summed[s, q] += own[sums[s, OWN], first + q]
        for k in range(len(lines)):
            if lines[k, LOOK] >= 0:
                line = lines[k]
                itself = own[line[OWN_LOOK]][first:stop] if line[OWN_LOOK] >= 0 else when[:0]
                of_looks(line, looks, levels, picked, places, when, itself, found)
            elif lines[k, RUN_LOOK] >= 0:
                line = lines[k]
                of_run(line, looks, running[sums[line[MATCHING], FIELD]], places, found)
            else:
                of_sums(lines, k, summed, found)
            for q in range(n):
                one = found[q]
                out[slots[k], rows[first + q]] = default[k] if np.isnan(one) else one / scale[k]


@compiled(
    VOID(
        *(INTS, TABLE, TABLE, TABLE, TABLE, INT, INT),
        *(INTS, INTS, TABLE, INTS),
        *(TABLE, TABLE, TABLE, INT, DOUBLES, DOUBLES, INTS),
        *(INTS, MATRIX_OUT),
    )
)
def answer(  # noqa: PLR0913, PLR0917 - all that a plan runs on
    keys: Any,
    running: Any,
    looks: Any,
    levels: Any,
    picked: Any,
    shift: Any,
    span: Any,
    entity: Any,
    ts: Any,
    own: Any,
    exact_from: Any,
    bounds: Any,
    sums: Any,
    lines: Any,
    fold: Any,
    scale: Any,
    default: Any,
    slots: Any,
    rows: Any,
    out: Any,
) -> None:
    """Write every feature of every query: `out[slots, rows]`, float64.

    Of the history: its `keys` (with their `shift` and `span`), `running` sums, `looks` with the `levels` of
    their pyramids, and columns that values are `picked` from. Of the queries: `entity`, `ts`, `own` fields
    and `exact_from` (empty: all is exact). The rest is the plan; its tables' columns are named in `codes`.
    """
    answer_in(
        block_for(len(bounds), len(sums), len(ts)),
        *(keys, running, looks, levels, picked, shift, span),
        *(entity, ts, own, exact_from),
        *(bounds, sums, lines, fold, scale, default, slots, rows, out),
    )
