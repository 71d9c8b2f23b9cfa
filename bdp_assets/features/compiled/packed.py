"""Windows over rows as the online store keeps them: from packed strings to answers in one call.

What `history.History` does array by array for whole tables; here a single transaction would pay for each. One
owner at a time, so that what is made of their rows is still in the cache when it is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bdp_assets.features.compiled.answers import Asked, Past, Windows, answer_in
from bdp_assets.features.compiled.codes import (
    LOOK_HOP,
    LOOK_KIND,
    LOOK_NONE,
    LOOK_OF,
    LOOK_REACH,
    LOOK_SEEN,
    PAIR_COLUMN,
    PLACE,
    PLACE_BEFORE,
    RECORD_WIDTH,
    STARTS,
    SUMMED,
    TILE_WIDTH,
    WINDOW_FOLD,
)
from bdp_assets.features.compiled.extremes import build_pyramids, pyramid_size
from bdp_assets.features.compiled.histories import add_up, extent, order_keys, places_before, run_starts
from bdp_assets.features.compiled.how import (
    INT,
    INTS,
    MATRIX,
    MATRIX_OUT,
    TABLE,
    VOID,
    borrowing,
    compiled,
    inner,
)
from bdp_assets.features.compiled.places import place
from bdp_assets.features.compiled.rooms import room_for, table_size, tables_of
from bdp_assets.features.compiled.stored import (
    by_time,
    columns_of,
    fill,
    first_and_last,
    match,
    part_of,
    reached,
    see_events,
    see_tiles,
    starts_of,
)
from bdp_assets.features.compiled.tables import copy, shaped


@borrowing
def look_at(  # noqa: PLR0913, PLR0917 - rows, what is looked at, and room
    look: Any, frame: Any, earliest: Any, fields: Any, places: Any, out: Any
) -> None:
    """What a look looks at in each sorted row, but ids in those alone that it reaches from the `earliest`
    query. `frame`: keys, shift, span; `places`: room."""
    keys, shift, span = frame
    kind, mine, seen = look[LOOK_KIND], fields[look[LOOK_OF], 1:], look[LOOK_SEEN]
    n = len(out)
    if kind == STARTS:
        run_starts(keys, shift, span, look[LOOK_HOP], fields[seen, 1:], mine, out)
    elif kind == PLACE_BEFORE:
        first = place(keys, max(earliest - look[LOOK_REACH] + shift, 0), n)
        table = places[: table_size(n - first)]
        table[:] = -1
        places_before(mine, first, table, out)
    else:
        for i in range(n):
            unseen = seen >= 0 and fields[seen, i + 1] <= 0
            out[i] = look[LOOK_NONE] if unseen else i if kind == PLACE else mine[i]


@inner
def sort_by_key(keys: Any, fields: Any) -> None:
    """Put rows in the order of their keys; equal ones stay as they came."""
    order = np.argsort(keys, kind="mergesort")
    keys[:] = keys[order]
    for s in range(len(fields)):
        fields[s, 1:] = fields[s, 1:][order]


@borrowing
def chosen(fields: Any, at: Any, out: Any) -> None:
    """Some fields of all rows."""
    for i in range(len(at)):
        copy(fields[at[i], 1:], out[i])


@borrowing
def chosen_rows(table: Any, at: Any, out: Any) -> None:
    """Some rows of a table."""
    for i in range(len(at)):
        copy(table[at[i]], out[i])


@borrowing
def chosen_times(ts: Any, at: Any, out: Any) -> None:
    """Some of the times."""
    for i in range(len(at)):
        out[i] = ts[at[i]]


@borrowing
def chosen_of(table: Any, at: Any, columns: Any, out: Any) -> None:
    """Some columns of some rows."""
    for i in range(len(at)):
        for c in range(len(columns)):
            out[i, c] = table[at[i], columns[c]]


@borrowing
def moment_of(sequence: Any, newest: Any, owner: Any) -> Any:
    """Sequence and newest time of an owner; of those who have none, anything."""
    if len(sequence) == 0:
        return np.int64(0), np.int64(0)
    return sequence[owner], newest[owner]


@borrowing
def fields_of(  # noqa: PLR0913, PLR0917 - two kinds of rows, and which are seen
    tables: Any, most_exact: Any, tiles: Any, events: Any, moment: Any, within: Any, pair: Any, room: Any
) -> int:
    """How many rows an owner's transaction sees `within` reach: tiles, and after them events. In the room,
    when they count and what `fields` they have, int64 [fields, 1 + n]."""
    rules, at, ts, exact = tables.rules, room.at, room.ts, room.exact
    n_tiles = see_tiles(rules, tiles, moment[1], within, at, ts)
    n_events = see_events(rules, most_exact, events, moment, within, pair, at[n_tiles:], ts[n_tiles:], exact)
    n = n_tiles + n_events
    by_time(at[n_tiles:n], ts[n_tiles:n], exact[:n_events])
    of_tiles = shaped(room.of_tiles, len(tables.tile_columns), n_tiles)
    of_events = shaped(room.of_events, len(tables.event_columns), n_events)
    columns_of(tiles, at[:n_tiles], tables.tile_columns, of_tiles)
    columns_of(events, at[n_tiles:n], tables.event_columns, of_events)

    matches = shaped(room.matches, len(tables.tests), n_events)
    for t in range(len(matches)):
        match(tables.tests[t], of_events, exact, matches[t])
    fields = shaped(room.fields, len(tables.event_sources), n + 1)
    for s in range(len(fields)):
        fields[s, 0] = 0
        if n_tiles:
            fill(tables.tile_sources[s], of_tiles, matches, fields[s, 1 : 1 + n_tiles])
        if n_events:
            fill(tables.event_sources[s], of_events, matches, fields[s, 1 + n_tiles :])
    return n


@borrowing
def answer_owner(  # noqa: PLR0913, PLR0917 - rows, queries, and a plan
    tables: Any, factors: Any, n: Any, rows: Any, times: Any, own: Any, room: Any, out: Any
) -> None:
    """Write every feature for an owner's queries, `rows` of the matrix at their `times`, from the `n` rows
    that are in the room. Their fields run up to sums from the zero in front of them."""
    nobody, ts, keys = room.nobody, room.ts[:n], room.keys[:n]
    fields = shaped(room.fields, len(tables.event_sources), n + 1)
    first, last, _ = extent(nobody[:n], ts)
    shift, span = 1 - first, last - first + 3
    if not order_keys(nobody[:n], ts, shift, span, keys):
        sort_by_key(keys, fields)

    looks = shaped(room.looks, len(tables.lookings), n)
    earliest, _ = first_and_last(times)
    for one in range(len(looks)):
        look_at(tables.lookings[one], (keys, shift, span), earliest, fields, room.places, looks[one])
    levels = shaped(room.levels, len(looks), pyramid_size(n))
    build_pyramids(looks, tables.look_codes, levels)
    picked = shaped(room.picked, len(tables.pickings), n)
    chosen(fields, tables.pickings, picked)
    running = fields[: tables.rules[SUMMED]]
    add_up(running)

    mine = shaped(room.own, len(tables.own_at), len(rows))
    chosen_of(own, tables.own_at, rows, mine)
    answer_in(
        room.block,
        Past(keys, running, looks, levels, picked, shift, span),
        Asked(nobody[: len(rows)], times, mine, nobody[:0]),
        Windows(
            *(tables.bounds, tables.sums, tables.lines, tables.rules[WINDOW_FOLD]),
            *(factors[0], factors[1], tables.slots),
        ),
        *(rows, out),
    )


@borrowing
def most_rows(rules: Any, tile_starts: Any, event_starts: Any) -> Any:
    """How many rows an owner has at most; its tiles and the events are those of one place."""
    tiles, events = 0, 0
    for one in range(1, len(tile_starts)):
        tiles = max(tiles, tile_starts[one] - tile_starts[one - 1])
    for one in range(1, len(event_starts)):
        events = max(events, event_starts[one] - event_starts[one - 1])
    return tiles // rules[TILE_WIDTH] + events // rules[RECORD_WIDTH]


@borrowing
def answer_owners(  # noqa: PLR0913, PLR0917 - two kinds of rows, queries by owner, and a plan
    tables: Any,
    factors: Any,
    most_exact: Any,
    tiles: Any,
    tile_starts: Any,
    events: Any,
    event_starts: Any,
    sequence: Any,
    newest: Any,
    owner: Any,
    order: Any,
    ts: Any,
    pair: Any,
    own: Any,
    room: Any,
    out: Any,
) -> None:
    """What `answer_packed` says; `order`: queries, those of an owner together."""
    is_pair, end = tables.rules[PAIR_COLUMN] >= 0, 0
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
        rows, times = order[begin:end], room.times[: end - begin]
        chosen_times(ts, rows, times)
        within = reached(tables.rules, times)
        n = fields_of(tables, most_exact, mine, happened, moment, within, with_whom, room)
        answer_owner(tables, factors, n, rows, times, own, room, out)


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
    tables, tile_starts, event_starts = tables_of(plan), starts_of(tile_sizes), starts_of(event_sizes)
    answer_owners(
        *(tables, factors, most_exact, tiles, tile_starts, events, event_starts, sequence, newest),
        *(owner, np.argsort(owner, kind="mergesort"), ts, pair, own),
        *(room_for(tables, most_rows(tables.rules, tile_starts, event_starts), len(owner)), out),
    )
