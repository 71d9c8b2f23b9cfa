"""Every feature of every query, in one pass over the queries.

Arrays are passed one by one where they come from Python: out of a tuple, each would be counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bdp_assets.features.compiled.codes import (
    CODE,
    COUNT,
    DISTINCT,
    END,
    EVENTS,
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
    SINCE_FIRST,
    SINCE_LAST,
    START,
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
from bdp_assets.features.compiled.places import find_places
from bdp_assets.features.compiled.rooms import BLOCK, block_for
from bdp_assets.features.compiled.spreads import spread
from bdp_assets.features.compiled.times import floored


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


class Past(NamedTuple):
    """A history: `keys` (with their `shift` and `span`), `running` sums, `looks` with the `levels` of their
    pyramids, and columns that values are `picked` from."""

    keys: Any
    running: Any
    looks: Any
    levels: Any
    picked: Any
    shift: Any
    span: Any


class Asked(NamedTuple):
    """Queries; `exact_from`: empty where all is exact."""

    entity: Any
    ts: Any
    own: Any
    exact_from: Any


class Windows(NamedTuple):
    """A plan, as `codes` names its tables' columns; and what is written of it."""

    bounds: Any
    sums: Any
    lines: Any
    fold: Any
    scale: Any
    default: Any
    slots: Any


@borrowing
def answer_in(  # noqa: PLR0913, PLR0917 - all that a plan runs on, and room
    block: Any, past: Any, asked: Any, windows: Any, rows: Any, out: Any
) -> None:
    """What `answer` says, in the room that a `block` is.

    Step by step for a block of queries, so that each step is one tight loop over what the caches hold.
    """
    keys, running, looks, levels, picked, shift, span = past
    entity, ts, own, exact_from = asked
    bounds, sums, lines, fold, scale, default, slots = windows
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

    The arguments are those of `Past`, `Asked` and `Windows`, and the `rows` that are written.
    """
    answer_in(
        block_for(len(bounds), len(sums), len(ts)),
        Past(keys, running, looks, levels, picked, shift, span),
        Asked(entity, ts, own, exact_from),
        Windows(bounds, sums, lines, fold, scale, default, slots),
        *(rows, out),
    )
