"""Rows as the online store keeps them: which of them a transaction sees, and what fields they have."""

from __future__ import annotations

from typing import Any

import numpy as np

from bdp_assets.features.compiled.codes import (
    ABSENT,
    BEFORE,
    FOLDED_TO,
    HIGH_BITS,
    KEEPS_ALL,
    NEAREST,
    ONE,
    OP,
    PAIR_COLUMN,
    PAIRS_FOLDED,
    REACH,
    RECORD_WIDTH,
    RETAINED,
    SEQUENCE_BITS,
    SOME,
    SOURCE_COLUMN,
    SOURCE_MATCH,
    SOURCE_NONE,
    SPLIT,
    SPLIT_BITS,
    SQUARE_BITS,
    TEST_BELOW,
    TEST_COLUMN,
    TEST_EXACT,
    TEST_LEAST,
    TEST_PERIOD,
    TEST_START,
    TILE_WIDTH,
    TILES_RETAINED,
    VALUES,
)
from bdp_assets.features.compiled.how import borrowing, inner, view
from bdp_assets.features.compiled.tables import copy
from bdp_assets.features.compiled.times import floored

_SEQUENCE = (1 << SEQUENCE_BITS) - 1
_TIME = 1
_STEPS = 16
"""How many steps back an event may take in the mean, before sorting all of them is faster."""
_HALF = SQUARE_BITS // 2
_LOW_HALF = (1 << _HALF) - 1


@inner
def starts_of(sizes: Any) -> Any:
    """Where each string's numbers begin when they stand one after the other; `sizes` in bytes."""
    starts = np.zeros(len(sizes) + 1, dtype=np.int64)
    for i in range(len(sizes)):
        starts[i + 1] = starts[i] + (sizes[i] >> 3)
    return starts


@view
def part_of(numbers: Any, starts: Any, owner: Any) -> Any:
    """An owner's numbers; none where there are no strings at all."""
    if len(starts) == 1:
        return numbers[:0]
    return numbers[starts[owner] : starts[owner + 1]]


@borrowing
def first_and_last(times: Any) -> Any:
    """Of some times, in any order."""
    first, last = times[0], times[0]
    for i in range(len(times)):
        first, last = min(first, times[i]), max(last, times[i])
    return first, last


@borrowing
def reached(rules: Any, times: Any) -> Any:
    """From when, and until before when, windows of queries at these times reach."""
    first, last = first_and_last(times)
    return first - rules[REACH], last - rules[NEAREST]


@borrowing
def see_tiles(  # noqa: PLR0913, PLR0917 - what decides it, and what is found
    rules: Any, tiles: Any, newest: Any, within: Any, at: Any, ts: Any
) -> int:
    """Which tiles lie `within` reach. How many; where each begins, and when it counts: what has retired by
    the `newest` event is BEFORE all."""
    count, (since, until) = 0, within
    for i in range(0, len(tiles), rules[TILE_WIDTH]):
        start = tiles[i]
        has_retired = rules[TILES_RETAINED] > 0 and start <= newest - rules[TILES_RETAINED]
        time = BEFORE if has_retired else start
        if since <= time < until:
            at[count], ts[count] = i, time
            count += 1
    return count


@borrowing
def see_events(  # noqa: PLR0913, PLR0917 - what decides it, and what is found
    rules: Any, most: Any, events: Any, moment: Any, within: Any, pair: Any, at: Any, ts: Any, exact: Any
) -> int:
    """Which events (see `records`) a transaction sees, in order: those with a smaller sequence than its
    own, the same `pair` where rules say so, and `within` reach. How many; where each begins, when it counts,
    and whether it is `exact`: the last `most` of them are. `moment`: its sequence, and the newest time before
    it.

    What lies too far behind that time has retired: it is BEFORE all where history is kept. So is what is
    folded, for a pair.
    """
    count, (own, newest), (since, until) = 0, moment, within
    is_pair, of_pair = rules[PAIR_COLUMN] >= 0, max(rules[PAIR_COLUMN], 0)
    for i in range(0, len(events), rules[RECORD_WIDTH]):
        if is_pair and events[i + of_pair] != pair:
            continue
        sequence = events[i] & _SEQUENCE
        is_exact = sequence >= own - most
        time = events[i + _TIME]
        time = time if is_exact else floored(time, rules[FOLDED_TO])
        stands = time > newest - rules[RETAINED]
        if sequence >= own or not (stands or rules[KEEPS_ALL]):
            continue
        if is_pair:
            if not (is_exact or rules[PAIRS_FOLDED]):
                continue
            stands = stands and is_exact
        time = time if stands else BEFORE
        if since <= time < until:
            at[count], ts[count], exact[count] = i, time, is_exact
            count += 1
    return count


@borrowing
def by_time(at: Any, ts: Any, exact: Any) -> None:
    """Put events in order of time; of the same time, as they came. Few come late, and not by much: each goes
    back to its place, unless that takes too many steps."""
    steps = _STEPS * len(ts)
    for i in range(1, len(ts)):
        if ts[i - 1] <= ts[i]:
            continue
        place, when, whether, j = at[i], ts[i], exact[i], i
        while j > 0 and ts[j - 1] > when:
            at[j], ts[j], exact[j] = at[j - 1], ts[j - 1], exact[j - 1]
            j -= 1
        at[j], ts[j], exact[j] = place, when, whether
        steps -= i - j
        if steps < 0:
            sort_by_time(at, ts, exact)
            return


@inner
def sort_by_time(at: Any, ts: Any, exact: Any) -> None:
    """What `by_time` says, from any order."""
    order = np.argsort(ts, kind="mergesort")
    at[:], ts[:], exact[:] = at[order], ts[order], exact[order]


@borrowing
def columns_of(numbers: Any, at: Any, used: Any, out: Any) -> None:
    """The `used` columns of rows that begin `at` places, `out[used, n]`: each is read by several fields."""
    for column in range(len(used)):
        for i in range(len(at)):
            out[column, i] = numbers[at[i] + used[column]]


@borrowing
def match(test: Any, columns: Any, exact: Any, found: Any) -> None:
    """Which rows count; see `formulas.Filter`."""
    start, period, least, below = test[TEST_START], test[TEST_PERIOD], test[TEST_LEAST], test[TEST_BELOW]
    for i in range(len(found)):
        found[i] = exact[i] or not test[TEST_EXACT]
    if test[TEST_COLUMN] < 0:
        return
    values = columns[test[TEST_COLUMN]]
    for i in range(len(found)):
        place = values[i] + start
        if period:
            place %= period
        found[i] = found[i] and least <= place < below


@borrowing
def square_part(op: Any, value: Any) -> Any:
    """The square of a number from 0 to below 2**40: what is above SQUARE_BITS, or what is below."""
    high, low = value >> _HALF, value & _LOW_HALF
    middle = 2 * high * low
    below = ((middle & _LOW_HALF) << _HALF) + low * low
    if op == HIGH_BITS:
        return high * high + (middle >> _HALF) + (below >> SQUARE_BITS)
    return below & ((1 << SQUARE_BITS) - 1)


@borrowing
def read(source: Any, columns: Any, out: Any) -> None:
    """A field of each row, whether it counts or not; see `fields.Source`."""
    op, column = source[OP], source[SOURCE_COLUMN]
    if op == ABSENT:
        out[:] = source[SOURCE_NONE]
        return
    if op == ONE:
        out[:] = 1
        return
    values = columns[column]
    if op == VALUES:
        copy(values, out)
    elif op == SOME:
        for i in range(len(out)):
            out[i] = values[i] > 0
    elif op == SPLIT:
        high = columns[column + 1]
        for i in range(len(out)):
            out[i] = values[i] + (high[i] << SPLIT_BITS)
    else:
        for i in range(len(out)):
            out[i] = square_part(op, values[i])


@borrowing
def fill(source: Any, columns: Any, matches: Any, out: Any) -> None:
    """A field of each row."""
    read(source, columns, out)
    if source[SOURCE_MATCH] >= 0:
        counts, none = matches[source[SOURCE_MATCH]], source[SOURCE_NONE]
        for i in range(len(out)):
            out[i] = out[i] if counts[i] else none
