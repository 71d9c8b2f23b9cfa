"""Windows over rows as the online store keeps them: from packed columns to answers in one call.

What `history.History` does array by array for whole tables; here a single transaction would pay for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bdp_assets.features.compiled.answers import answer
from bdp_assets.features.compiled.codes import (
    ABSENT,
    HIGH_BITS,
    LOOK_HOP,
    LOOK_KIND,
    LOOK_NONE,
    LOOK_OF,
    LOOK_SEEN,
    ONE,
    OP,
    PLACE,
    PLACE_BEFORE,
    SOME,
    SOURCE_COLUMN,
    SOURCE_MATCH,
    SOURCE_NONE,
    SPLIT,
    SPLIT_BITS,
    SQUARE_BITS,
    STARTS,
    VALUES,
)
from bdp_assets.features.compiled.extremes import build_pyramids, pyramid_size
from bdp_assets.features.compiled.histories import add_up, extent, order_keys, places_before, run_starts
from bdp_assets.features.compiled.how import BOOL, DOUBLES, INT, INTS, MATRIX_OUT, TABLE, compiled, inner

_MATCHES = types.Array(types.boolean, 2, "C", readonly=True)
_HALF = SQUARE_BITS // 2
_LOW_HALF = (1 << _HALF) - 1


@inner
def square_part(op: Any, value: Any) -> Any:
    """The square of a number from 0 to below 2**40: what is above SQUARE_BITS, or what is below."""
    high, low = value >> _HALF, value & _LOW_HALF
    middle = 2 * high * low
    below = ((middle & _LOW_HALF) << _HALF) + low * low
    if op == HIGH_BITS:
        return high * high + (middle >> _HALF) + (below >> SQUARE_BITS)
    return below & ((1 << SQUARE_BITS) - 1)


@inner
def fill(source: Any, columns: Any, matches: Any, out: Any) -> None:
    """A field of each row; see `fields.Source`."""
    op, column, match = source[OP], source[SOURCE_COLUMN], source[SOURCE_MATCH]
    if match < 0 and op == ONE:
        out[:] = 1
        return
    if match < 0 and op == VALUES:
        out[:] = columns[column, : len(out)]
        return
    for i in range(len(out)):
        if op == ABSENT or (match >= 0 and not matches[match, i]):
            out[i] = source[SOURCE_NONE]
        elif op == ONE:
            out[i] = 1
        elif op == VALUES:
            out[i] = columns[column, i]
        elif op == SPLIT:
            out[i] = columns[column, i] + (columns[column + 1, i] << SPLIT_BITS)
        elif op == SOME:
            out[i] = columns[column, i] > 0
        else:
            out[i] = square_part(op, columns[column, i])


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
def end_to_end(summaries: Any, events: Any) -> Any:
    """Both parts of something, int64 [n]."""
    out = np.empty(len(summaries) + len(events), dtype=np.int64)
    out[: len(summaries)], out[len(summaries) :] = summaries, events
    return out


@inner
def sort(entity: Any, ts: Any, shift: Any, span: Any, fields: Any) -> Any:
    """The keys of all rows, ascending, with the `fields` in their order; equal ones stay as they came."""
    keys = np.empty(len(ts), dtype=np.int64)
    if not order_keys(entity, ts, shift, span, keys):
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
def chosen_of(table: Any, at: Any, columns: Any) -> Any:
    """Some columns of some rows."""
    out = np.empty((len(at), len(columns)), dtype=np.int64)
    for i in range(len(at)):
        for c in range(len(columns)):
            out[i, c] = table[at[i], columns[c]]
    return out


@compiled(
    BOOL(
        *(INTS, INTS, TABLE, TABLE, INTS, INTS, TABLE, TABLE, _MATCHES),
        *(INT, TABLE, INTS, INTS),
        *(INTS, INTS, INTS, INTS, TABLE),
        *(TABLE, TABLE, TABLE, INT, DOUBLES, DOUBLES, INTS, MATRIX_OUT),
    )
)
def answer_packed(  # noqa: PLR0913, PLR0917 - two kinds of rows, queries, and a plan
    summary_entity: Any,
    summary_ts: Any,
    summary_columns: Any,
    summary_sources: Any,
    event_entity: Any,
    event_ts: Any,
    event_columns: Any,
    event_sources: Any,
    matches: Any,
    summed: int,
    looking: Any,
    codes: Any,
    picking: Any,
    entity: Any,
    ts: Any,
    rows: Any,
    own_at: Any,
    own: Any,
    bounds: Any,
    sums: Any,
    lines: Any,
    fold: int,
    scale: Any,
    default: Any,
    slots: Any,
    out: Any,
) -> bool:
    """Write every feature of a plan for every query: `out[slots, rows]`; False where the keys do not fit.

    Rows are summaries and, after those of the same entity, events; both lie in `columns`, int64 [columns, n],
    and `sources` say how to read each field of them: the first `summed` fields are added up, others looked at
    (`looking`, with their `codes`) or picked from. The rest as for `answers.answer`.

    Inside, `fields` is int64 [fields, 1 + n]: sums run up from the zero in front.
    """
    n = len(summary_ts) + len(event_ts)
    row_entity, row_ts = end_to_end(summary_entity, event_entity), end_to_end(summary_ts, event_ts)
    fields = np.zeros((len(event_sources), n + 1), dtype=np.int64)
    for s in range(len(fields)):
        fill(summary_sources[s], summary_columns, matches, fields[s, 1 : 1 + len(summary_ts)])
        fill(event_sources[s], event_columns, matches, fields[s, 1 + len(summary_ts) :])

    first, last, most = extent(row_entity, row_ts)
    shift, span = 1 - first, last - first + 3
    if most + 1 > (2**63 - 1) // span:
        return False
    keys = sort(row_entity, row_ts, shift, span, fields)

    looks = np.empty((len(looking), n), dtype=np.int64)
    for one in range(len(looking)):
        look_at(looking[one], (keys, shift, span), fields, looks[one])
    levels = np.empty((len(looking), pyramid_size(n)), dtype=np.int64)
    build_pyramids(looks, codes, levels)
    picked = chosen(fields, picking)
    running = fields[:summed]
    add_up(running)

    all_exact = np.empty(0, dtype=np.int64)
    answer(
        *(keys, running, looks, levels, picked, shift, span),
        *(entity, ts, chosen_of(own, own_at, rows), all_exact),
        *(bounds, sums, lines, fold, scale, default, slots, rows, out),
    )
    return True
