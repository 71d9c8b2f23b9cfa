"""Events and summaries, brought into the order and the form that windows are answered from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bdp_assets.features.compiled.codes import BEFORE, NOWHERE
from bdp_assets.features.compiled.how import BOOL, INT, INTS, INTS_OUT, TABLE_OUT, VOID, compiled
from bdp_assets.features.compiled.times import floored


@compiled(types.UniTuple(INT, 3)(INTS, INTS), borrows=True)
def extent(entity: Any, ts: Any) -> Any:
    """The first and the last time, without what is BEFORE; and the greatest entity (0, 0, -1: no rows)."""
    first, last, most = np.int64(2**63 - 1), np.int64(BEFORE), np.int64(-1)
    for i in range(len(ts)):
        most = max(most, entity[i])
        if ts[i] != BEFORE:
            first, last = min(first, ts[i]), max(last, ts[i])
    if last == BEFORE:
        return np.int64(0), np.int64(0), most
    return first, last, most


@compiled(BOOL(INTS, INTS, INT, INT, INTS_OUT), borrows=True)
def order_keys(entity: Any, ts: Any, shift: int, span: int, keys: Any) -> bool:
    """Fill in keys that ascend by entity, then time; whether they do so already."""
    ascending = True
    before = np.int64(-(2**63))
    for i in range(len(keys)):
        key = entity[i] * span + max(ts[i] + shift, 0)
        keys[i] = key
        ascending &= key >= before
        before = key
    return ascending


@compiled(VOID(TABLE_OUT), borrows=True)
def add_up(fields: Any) -> None:
    """Turn fields, int64 [fields, 1 + n], into their running sums; the first column is 0."""
    for row in fields:
        total = np.int64(0)
        for i in range(1, len(row)):
            total += row[i]
            row[i] = total


@compiled(VOID(INTS, INT, INT, INT, INTS, INTS, INTS_OUT), borrows=True)
def run_starts(  # noqa: PLR0913, PLR0917 - a history, and what is counted in it
    keys: Any, shift: int, span: int, hop: int, events: Any, matching: Any, starts: Any
) -> None:
    """Where the run began that each row is in: the row after the last tile in which fewer events matched than
    happened. Read at the last row of a tile; what is BEFORE all is a tile by itself."""
    tile_ends, entity, first, surplus, start = np.int64(-1), np.int64(-1), 0, np.int64(0), 0
    for i in range(len(keys)):
        if keys[i] >= tile_ends:
            if keys[i] >= (entity + 1) * span:
                entity = keys[i] // span
            base = entity * span
            time = keys[i] - base
            tile_ends = base + min(floored(time - shift, hop) + hop + shift if time else 1, span)
            first, surplus = start, np.int64(0)
        surplus += matching[i] - events[i]
        start = i + 1 if surplus < 0 else first
        starts[i] = start


@compiled(VOID(INTS, INT, INTS_OUT, INTS_OUT), borrows=True)
def places_before(codes: Any, first: int, table: Any, found: Any) -> None:
    """Where the same code from 0 stood before each place, of places from the `first` one on: -1 where it did
    not, NOWHERE for codes below 0. `table`: -1s, a power of two of them and more than codes that are read (an
    open-addressing hash table)."""
    mask = np.uint64(len(table) - 1)
    for i in range(first, len(codes)):
        if codes[i] < 0:
            found[i] = NOWHERE
            continue
        slot = (np.uint64(codes[i]) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20)) & mask
        while table[slot] >= 0 and codes[table[slot]] != codes[i]:
            slot = (slot + np.uint64(1)) & mask
        found[i] = table[slot]
        table[slot] = i
