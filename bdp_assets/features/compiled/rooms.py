"""What is made once a call, so that loops only borrow: the tables of its plan, and room to work in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bdp_assets.features.compiled.codes import (
    BOUNDS,
    EVENT_COLUMNS,
    EVENT_SOURCES,
    LINES,
    LOOK_CODES,
    LOOKINGS,
    OWN_AT,
    PICKINGS,
    PLAN_RULES,
    SLOTS,
    SUMS,
    TESTS,
    TILE_COLUMNS,
    TILE_SOURCES,
)
from bdp_assets.features.compiled.extremes import pyramid_size
from bdp_assets.features.compiled.how import borrowing, inner
from bdp_assets.features.compiled.tables import line_of, table_of

BLOCK = 256
"""Queries worked at a time."""


class Block(NamedTuple):
    """For a block of queries: of each bound its place for each of them, and for the one before; what each sum
    is; and what one feature is."""

    places: Any
    near: Any
    summed: Any
    found: Any


@inner
def block_for(bounds: Any, sums: Any, queries: Any) -> Any:
    """For so many bounds and sums of as many queries as are worked at a time."""
    width = min(queries, BLOCK)
    return Block(
        np.empty((bounds, width), dtype=np.int64),
        np.empty(bounds, dtype=np.int64),
        np.empty((sums, width), dtype=np.int64),
        np.empty(width, dtype=np.float64),
    )


class Tables(NamedTuple):
    """Of a plan, as `codes` names them."""

    rules: Any
    tile_sources: Any
    event_sources: Any
    tests: Any
    lookings: Any
    look_codes: Any
    pickings: Any
    own_at: Any
    bounds: Any
    sums: Any
    lines: Any
    slots: Any
    tile_columns: Any
    event_columns: Any


@inner
def tables_of(plan: Any) -> Any:
    return Tables(
        line_of(plan, PLAN_RULES),
        table_of(plan, TILE_SOURCES),
        table_of(plan, EVENT_SOURCES),
        table_of(plan, TESTS),
        table_of(plan, LOOKINGS),
        line_of(plan, LOOK_CODES),
        line_of(plan, PICKINGS),
        line_of(plan, OWN_AT),
        table_of(plan, BOUNDS),
        table_of(plan, SUMS),
        table_of(plan, LINES),
        line_of(plan, SLOTS),
        line_of(plan, TILE_COLUMNS),
        line_of(plan, EVENT_COLUMNS),
    )


class Room(NamedTuple):
    """For one owner after the other; of tables that are as wide as the owner has rows, the cells (see
    `tables.shaped`)."""

    at: Any
    ts: Any
    exact: Any
    of_tiles: Any
    of_events: Any
    matches: Any
    fields: Any
    keys: Any
    looks: Any
    levels: Any
    picked: Any
    places: Any
    nobody: Any
    times: Any
    own: Any
    block: Any


@inner
def room_for(tables: Any, most: Any, queries: Any) -> Any:
    """For owners of at most so many rows and queries."""
    looks = len(tables.lookings)
    return Room(
        np.empty(most, dtype=np.int64),
        np.empty(most, dtype=np.int64),
        np.empty(most, dtype=np.bool_),
        np.empty(len(tables.tile_columns) * most, dtype=np.int64),
        np.empty(len(tables.event_columns) * most, dtype=np.int64),
        np.empty(len(tables.tests) * most, dtype=np.bool_),
        np.empty(len(tables.event_sources) * (most + 1), dtype=np.int64),
        np.empty(most, dtype=np.int64),
        np.empty(looks * most, dtype=np.int64),
        np.empty(looks * pyramid_size(most), dtype=np.int64),
        np.empty(len(tables.pickings) * most, dtype=np.int64),
        np.empty(table_size(most), dtype=np.int64),
        np.zeros(max(most, queries), dtype=np.int64),
        np.empty(queries, dtype=np.int64),
        np.empty(len(tables.own_at) * queries, dtype=np.int64),
        block_for(len(tables.bounds), len(tables.sums), queries),
    )


@borrowing
def table_size(codes: Any) -> Any:
    """Of the table in which `histories.places_before` looks so many codes up."""
    size = 2
    while size <= 2 * codes:
        size *= 2
    return size
