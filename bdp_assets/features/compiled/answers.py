"""Every feature of every query, in one pass over the queries.

Arrays are passed one by one: out of a tuple, each would be counted by whom it is held at every step.
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
from bdp_assets.features.compiled.how import DOUBLES, INT, INTS, MATRIX_OUT, TABLE, VOID, compiled, inner
from bdp_assets.features.compiled.spreads import spread
from bdp_assets.features.compiled.times import floored


@compiled(INT(INTS, INT, INT))
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


@inner
def find_places(keys: Any, bounds: Any, frame: Any, moment: Any, found: Any) -> None:
    """Where each bound of a query lies: how many sorted rows are before it.

    `frame`: shift, span, fold; `moment`: entity, time, how many rows are not exact (-1: all are). `found`:
    where they lay for the query before, and then for this one.
    """
    shift, span, fold = frame
    entity, ts, inexact = moment
    first = entity * span
    for b in range(len(bounds)):
        if bounds[b, ENDLESS]:
            found[b] = place(keys, first, found[b])
            continue
        time = floored(ts - bounds[b, SHIFT], bounds[b, STEP])
        at = place(keys, first + min(max(time + shift, 1), span - 1), found[b])
        if at < inexact:
            if bounds[b, EXACT]:
                at = inexact
            elif fold:  # What is folded lies before a bound when its fold begins before it.
                late = -(-time // fold) * fold
                at = min(place(keys, first + min(max(late + shift, 1), span - 1), at), inexact)
        found[b] = at


@inner
def add_sums(running: Any, sums: Any, places: Any, own: Any, found: Any) -> None:
    """Every sum of a query: differences of running sums, and its `own` fields where it counts itself."""
    for s in range(len(sums)):
        field, mine = sums[s, FIELD], sums[s, OWN]
        found[s] = running[field, places[sums[s, TO]]] - running[field, places[sums[s, FROM]]]
        if mine >= 0:
            found[s] += own[mine]


@inner
def of_sums(lines: Any, k: Any, sums: Any) -> Any:
    """An aggregate of sums; NaN where there is no answer."""
    code = lines[k, CODE]
    if code == COUNT:
        return np.float64(sums[lines[k, MATCHING]])
    if code == SUM:
        return np.float64(sums[lines[k, TOTAL]])
    if code == SHARE:
        events = sums[lines[k, EVENTS]]
        return max(sums[lines[k, MATCHING]], 0) / events if events > 0 else np.nan
    n = sums[lines[k, MATCHING]]
    if n <= 0:
        return np.nan
    total = sums[lines[k, TOTAL]]
    if code == MEAN:
        return total / n
    return np.sqrt(spread(n, total, sums[lines[k, HIGH]], sums[lines[k, LOW]]) / np.float64(n * n))


@inner
def different(before: Any, start: Any, end: Any) -> Any:
    """How many values stood before the start for the last time."""
    count = 0
    for i in range(start, end):
        count += before[i] < start
    return np.float64(count)


@inner
def of_extreme(best: Any, line: Any, picked: Any, ts: Any) -> Any:
    """What an extreme that was found says. `line`: code, hop, and the column that `last` picks from."""
    code, hop, pick = line
    if code == LAST:
        return np.float64(picked[pick, best])
    if code in (SINCE_LAST, SINCE_FIRST):
        return np.float64(ts - floored(best, hop)) / 1000
    return np.float64(best)


@compiled(
    VOID(
        *(INTS, TABLE, TABLE, TABLE, TABLE, INT, INT),
        *(INTS, INTS, TABLE, INTS),
        *(TABLE, TABLE, TABLE, INT, DOUBLES, DOUBLES, MATRIX_OUT),
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
    out: Any,
) -> None:
    """Write every feature of every query: `out`, float64 [features, queries].

    Of the history: its `keys` (with their `shift` and `span`), `running` sums, `looks` with the `levels` of
    their pyramids, and columns that values are `picked` from. Of the queries: `entity`, `ts`, `own` fields
    and `exact_from` (empty: all is exact). The rest is the plan; its tables' columns are named in `codes`.
    """
    places = np.zeros(len(bounds), dtype=np.int64)
    summed = np.zeros(len(sums), dtype=np.int64)
    for q in range(len(ts)):
        inexact = exact_from[q] if len(exact_from) else -1
        find_places(keys, bounds, (shift, span, fold), (entity[q], ts[q], inexact), places)
        add_sums(running, sums, places, own[:, q], summed)
        for k in range(len(lines)):
            code, look, nothing = lines[k, CODE], lines[k, LOOK], lines[k, NOTHING]
            start, end = places[lines[k, START]], places[lines[k, END]]
            run, one = lines[k, RUN_LOOK], np.nan
            if run >= 0 and end > start:
                start = max(start, looks[run, end - 1])
            if look < 0 and run >= 0:
                field = sums[lines[k, MATCHING], FIELD]
                one = np.float64(running[field, end] - running[field, start])
            elif look < 0:
                one = of_sums(lines, k, summed)
            elif code == DISTINCT:
                one = different(looks[look], start, end)
            else:
                lowest, mine = looks_for_lowest(code), lines[k, OWN_LOOK]
                best = nothing
                if mine >= 0:
                    best = min(best, own[mine, q]) if lowest else max(best, own[mine, q])
                best = extreme(looks[look], levels[look], (start, end), lowest, best)
                if best != nothing:
                    one = of_extreme(best, (code, lines[k, HOP], lines[k, PICK]), picked, ts[q])
            out[k, q] = default[k] if np.isnan(one) else one / scale[k]
