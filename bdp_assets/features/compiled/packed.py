"""Windows over rows as the online store keeps them: from packed strings to answers in one call.

What `history.History` does array by array for whole tables; here a single transaction would pay for each. One
owner at a time, so that what is made of their rows is still in the cache when it is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bdp_assets.features.compiled.answers import answer
from bdp_assets.features.compiled.codes import (
    BOUNDS,
    EVENT_COLUMNS,
    EVENT_SOURCES,
    LINES,
    LOOK_CODES,
    LOOK_HOP,
    LOOK_KIND,
    LOOK_NONE,
    LOOK_OF,
    LOOK_SEEN,
    LOOKINGS,
    OWN_AT,
    PAIR_COLUMN,
    PICKINGS,
    PLACE,
    PLACE_BEFORE,
    PLAN_RULES,
    RECORD_WIDTH,
    SLOTS,
    STARTS,
    SUMMED,
    SUMS,
    TESTS,
    TILE_COLUMNS,
    TILE_SOURCES,
    TILE_WIDTH,
    WINDOW_FOLD,
)
from bdp_assets.features.compiled.extremes import build_pyramids, pyramid_size
from bdp_assets.features.compiled.histories import add_up, extent, order_keys, places_before, run_starts
from bdp_assets.features.compiled.how import INT, INTS, MATRIX, MATRIX_OUT, TABLE, VOID, compiled, inner
from bdp_assets.features.compiled.stored import (
    by_time,
    columns_of,
    fill,
    match,
    part_of,
    see_events,
    see_tiles,
    starts_of,
)


@inner
def table_of(plan: Any, which: Any) -> Any:
    """One of the tables that a plan is packed from."""
    start, rows, width = plan[3 * which], plan[3 * which + 1], plan[3 * which + 2]
    return plan[start : start + rows * width].reshape((rows, width))


@inner
def line_of(plan: Any, which: Any) -> Any:
    """A table of one row."""
    start, width = plan[3 * which], plan[3 * which + 2]
    return plan[start : start + width]


@inner
def look_at(look: Any, frame: Any, fields: Any, out: Any) -> None:
    """What a look looks at in each sorted row; `frame`: keys, shift, span."""
    keys, shift, span = frame
    kind, mine, seen = look[LOOK_KIND], fields[look[LOOK_OF], 1:], look[LOOK_SEEN]
    n = len(out)
    if kind == STARTS:
        run_starts(keys, shift, span, look[LOOK_HOP], fields[seen, 1:], mine, out)
    elif kind == PLACE_BEFORE:
        size = 2
        while size <= 2 * n:
            size *= 2
        table = np.full(size, -1, dtype=np.int64)
        places_before(mine, table, out)
    else:
        for i in range(n):
            unseen = seen >= 0 and fields[seen, i + 1] <= 0
            out[i] = look[LOOK_NONE] if unseen else i if kind == PLACE else mine[i]


@inner
def sort(ts: Any, shift: Any, span: Any, fields: Any) -> Any:
    """The keys of an owner's rows, ascending, with the `fields` in their order; equal ones stay as they
    came."""
    keys = np.empty(len(ts), dtype=np.int64)
    if not order_keys(np.zeros(len(ts), dtype=np.int64), ts, shift, span, keys):
        order = np.argsort(keys, kind="mergesort")
        keys = keys[order]
        for s in range(len(fields)):
            fields[s, 1:] = fields[s, 1:][order]
    return keys


@inner
def chosen(fields: Any, at: Any) -> Any:
    """Some fields of all rows."""
    out = np.empty((len(at), fields.shape[1] - 1), dtype=np.int64)
    for i in range(len(at)):
        out[i] = fields[at[i], 1:]
    return out


@inner
def chosen_rows(table: Any, at: Any) -> Any:
    """Some rows of a table."""
    out = np.empty((len(at), table.shape[1]), dtype=np.int64)
    for i in range(len(at)):
        out[i] = table[at[i]]
    return out


@inner
def chosen_of(table: Any, at: Any, columns: Any) -> Any:
    """Some columns of some rows."""
    out = np.empty((len(at), len(columns)), dtype=np.int64)
    for i in range(len(at)):
        for c in range(len(columns)):
            out[i, c] = table[at[i], columns[c]]
    return out


@inner
def moment_of(sequence: Any, newest: Any, owner: Any) -> Any:
    """Sequence and newest time of an owner; of those who have none, anything."""
    if len(sequence) == 0:
        return np.int64(0), np.int64(0)
    return sequence[owner], newest[owner]


@inner
def fields_of(  # noqa: PLR0913, PLR0917 - two kinds of rows, and which are seen
    plan: Any, most_exact: Any, tiles: Any, events: Any, moment: Any, pair: Any
) -> Any:
    """When the rows count that an owner's transaction sees, int64 [n], and what fields they have, int64
    [fields, 1 + n]; tiles, and after them events."""
    rules = line_of(plan, PLAN_RULES)
    n_tiles, most = len(tiles) // rules[TILE_WIDTH], len(events) // rules[RECORD_WIDTH]
    at, ts = np.empty(n_tiles + most, dtype=np.int64), np.empty(n_tiles + most, dtype=np.int64)
    exact = np.empty(most, dtype=np.bool_)
    see_tiles(rules, tiles, moment[1], at[:n_tiles], ts[:n_tiles])
    n_events = see_events(rules, most_exact, events, moment, pair, at[n_tiles:], ts[n_tiles:], exact)
    n = n_tiles + n_events
    by_time(at[n_tiles:n], ts[n_tiles:n], exact[:n_events])
    of_tiles = columns_of(tiles, at[:n_tiles], line_of(plan, TILE_COLUMNS))
    of_events = columns_of(events, at[n_tiles:n], line_of(plan, EVENT_COLUMNS))

    tests = table_of(plan, TESTS)
    matches = np.empty((len(tests), n_events), dtype=np.bool_)
    for t in range(len(tests)):
        match(tests[t], of_events, exact, matches[t])
    tile_sources, event_sources = table_of(plan, TILE_SOURCES), table_of(plan, EVENT_SOURCES)
    fields = np.empty((len(event_sources), n + 1), dtype=np.int64)
    for s in range(len(fields)):
        fields[s, 0] = 0
        if n_tiles:
            fill(tile_sources[s], of_tiles, matches, fields[s, 1 : 1 + n_tiles])
        if n_events:
            fill(event_sources[s], of_events, matches, fields[s, 1 + n_tiles :])
    return ts[:n], fields


@inner
def answer_owner(  # noqa: PLR0913, PLR0917 - rows, queries, and a plan
    plan: Any, factors: Any, ts: Any, fields: Any, rows: Any, asked_ts: Any, own: Any, out: Any
) -> None:
    """Write every feature for an owner's queries, `rows` of the matrix. The `fields` of rows run up to sums
    from the zero in front of them."""
    rules, n = line_of(plan, PLAN_RULES), len(ts)
    nobody = np.zeros(max(n, len(rows)), dtype=np.int64)
    first, last, _ = extent(nobody[:n], ts)
    shift, span = 1 - first, last - first + 3
    keys = sort(ts, shift, span, fields)

    looking = table_of(plan, LOOKINGS)
    looks = np.empty((len(looking), n), dtype=np.int64)
    for one in range(len(looking)):
        look_at(looking[one], (keys, shift, span), fields, looks[one])
    levels = np.empty((len(looking), pyramid_size(n)), dtype=np.int64)
    build_pyramids(looks, line_of(plan, LOOK_CODES), levels)
    picked = chosen(fields, line_of(plan, PICKINGS))
    running = fields[: rules[SUMMED]]
    add_up(running)

    times = np.empty(len(rows), dtype=np.int64)
    for q in range(len(rows)):
        times[q] = asked_ts[rows[q]]
    answer(
        *(keys, running, looks, levels, picked, shift, span),
        *(nobody[: len(rows)], times, chosen_of(own, line_of(plan, OWN_AT), rows), nobody[:0]),
        *(table_of(plan, BOUNDS), table_of(plan, SUMS), table_of(plan, LINES)),
        *(rules[WINDOW_FOLD], factors[0], factors[1], line_of(plan, SLOTS), rows, out),
    )


@compiled(
    VOID(INTS, MATRIX, INT, *(INTS, INTS), *(INTS, INTS, INTS, INTS), *(INTS, INTS, INTS, TABLE), MATRIX_OUT)
)
def answer_packed(  # noqa: PLR0913, PLR0917 - two kinds of rows, queries, and a plan
    plan: Any,
    factors: Any,
    most_exact: int,
    tiles: Any,
    tile_sizes: Any,
    events: Any,
    event_sizes: Any,
    sequence: Any,
    newest: Any,
    owner: Any,
    ts: Any,
    pair: Any,
    own: Any,
    out: Any,
) -> None:
    """Write every feature of a plan for every query: `out[slots, queries]`.

    `plan`: its tables (see `codes`); `factors`: what answers are divided by, and their defaults, float64 [2,
    features]. Tiles and events lie one owner after the other, of so many bytes each (no sizes: there are
    none); `sequence`, `newest` of each owner decide which events are seen, of which the last `most_exact` are
    exact. Of queries: the `owner` (-1: none, and nothing is written), `ts`, and `own` fields, int64 [fields,
    queries]; in plans of pairs, where an owner has one query, also the `pair` (-1: none).
    """
    tile_starts, event_starts = starts_of(tile_sizes), starts_of(event_sizes)
    is_pair = line_of(plan, PLAN_RULES)[PAIR_COLUMN] >= 0
    order = np.argsort(owner, kind="mergesort")
    end = 0
    while end < len(order):
        begin, one = end, owner[order[end]]
        while end < len(order) and owner[order[end]] == one:
            end += 1
        with_whom = pair[order[begin]] if is_pair else np.int64(-1)
        if one < 0 or (is_pair and with_whom < 0):
            continue
        mine = part_of(tiles, tile_starts, one)
        happened = part_of(events, event_starts, one)
        moment = moment_of(sequence, newest, one)
        when, fields = fields_of(plan, most_exact, mine, happened, moment, with_whom)
        answer_owner(plan, factors, when, fields, order[begin:end], ts, own, out)
