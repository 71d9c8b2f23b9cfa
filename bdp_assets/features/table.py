"""Transactions as integer arrays: sorted into histories for the kernel, its answers put in place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cached_property, partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import polars as pl

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.fields import Bools, event_field
from bdp_assets.features.formulas import COLUMNS, checked
from bdp_assets.features.history import History, Queries, Rows
from bdp_assets.features.kernel import Plan
from bdp_assets.features.labels import KEY, NO_CHANGES, LabelChanges, label_changes
from bdp_assets.features.rows import Changes, EventRows, LabelledRows, Sorted
from bdp_assets.features.spec import CUSTOMER, EXACT_EVENTS, Entity
from bdp_assets.features.summaries import Summary, SummaryRows, WithSummaries

_PIECE = 262_144  # Rows.
Fill = Callable[[Floats], None]
"""Writes some rows of an entity's features into a matrix."""


class Carried(NamedTuple):
    """What is known of entities from before the table: rows of `summary`, and a table row with the keys of
    each."""

    row: Ints
    summary: Summary
    rows: Ints


class Table:
    """Transactions' `columns` (integers; ids as codes, -1: none), which of them are events, label changes,
    and for some entities what happened before all of them."""

    def __init__(
        self,
        columns: Mapping[str, Ints],
        is_event: Bools,
        changes: LabelChanges,
        carried: Mapping[Entity, Carried] = MappingProxyType({}),
    ) -> None:
        self.columns = columns
        self.ts = columns["ts_ms"]
        self.is_event = is_event
        self.changes = changes
        self.carried = carried
        self._by_time = None if (self.ts[1:] >= self.ts[:-1]).all() else np.argsort(self.ts, kind="stable")

    @classmethod
    def of(cls, transactions: pl.DataFrame, labels: pl.DataFrame | None, ids: Sequence[str]) -> Table:
        """All of the transactions there are, in order of arrival."""
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            is_event = threads.submit(first_of_each, transactions)
            changes = threads.submit(label_changes, transactions, labels) if labels is not None else None
            columns = columns_of(transactions, ids, threads)
        return cls(columns, is_event.result(), NO_CHANGES if changes is None else changes.result())

    def sort(self, entity: Entity) -> tuple[Ints, Ints]:
        """The rows that have the entity's keys, by entity, time and arrival; and their entities from 0."""
        order = self._by_time
        for key in entity.keys:
            if (missing := self.columns[key] < 0).any():
                order = np.arange(len(self.ts)) if order is None else order
                order = order[~missing[order]]
        for key in reversed(entity.keys):
            codes = self.columns[key]
            order = stable_order(codes) if order is None else order[stable_order(codes[order])]
        assert order is not None  # noqa: S101 - every entity has a key
        if len(entity.keys) == 1:
            return order, self.columns[entity.keys[0]][order]
        changes = np.zeros(len(order), dtype=np.bool_)
        for key in entity.keys:
            sorted_ = self.columns[key][order]
            changes[1:] |= sorted_[1:] != sorted_[:-1]
        return order, np.cumsum(changes)

    def is_complete(self, entity: Entity) -> bool:
        """Whether no row lacks one of the entity's keys."""
        return all(int(self.columns[key].min(initial=0)) >= 0 for key in entity.keys)

    @cached_property
    def rank(self) -> Ints | None:
        """How many of its customer's events come before each row; None where none is beyond the bound."""
        if int(np.bincount(self.columns["customer_id"]).max(initial=0)) <= EXACT_EVENTS:
            return None
        order, codes = self.sort(CUSTOMER)
        before: Ints = np.cumsum(self.is_event[order]) - self.is_event[order]
        within: Ints = before - before[codes.searchsorted(codes)]
        rank = np.zeros(len(self.ts), dtype=np.int64)
        rank[order] = within
        return rank


def fill(matrix: Floats, plan: Plan, table: Table, entity: Entity, asked: Bools | None = None) -> None:
    """Write an entity's window features into a matrix [features, rows asked] that holds their defaults."""
    for write in fills(plan, table, entity, asked):
        write(matrix)


def fills(plan: Plan, table: Table, entity: Entity, asked: Bools | None = None) -> list[Fill]:
    """The same in parts, to be done in any order and side by side."""
    order, codes = table.sort(entity)
    has_labels = bool(plan.label_delays and len(table.changes.row))
    changes = _changes_of(table, order, codes) if has_labels else None
    carried = _carried_rows(table, entity, order, codes) if entity in table.carried else None
    place = None if asked is None else np.where(asked, np.cumsum(asked) - 1, -1)
    parts: list[Fill] = []
    for part in _entities_together(codes):
        first, last = int(codes[part.start]), int(codes[part.stop - 1])
        piece = _Piece(
            entity,
            order[part],
            codes[part],
            None if changes is None else changes.between(first, last),
            None if carried is None else carried.between(first, last),
        )
        parts.append(partial(_fill, plan, table, piece, place))
    return parts


class _Piece(NamedTuple):
    """Entities of a kind: their rows by entity, time and arrival, label changes, and what was carried."""

    entity: Entity
    order: Ints
    codes: Ints
    changes: Changes | None
    carried: SummaryRows | None


def _entities_together(codes: Ints) -> Iterator[slice]:
    """Slices of about `_PIECE` rows that cut no entity in two: what is made of them fits into the caches."""
    start = 0
    while start < len(codes):
        stop = min(start + _PIECE, len(codes))
        stop = int(codes.searchsorted(codes[stop - 1], side="right"))
        yield slice(start, stop)
        start = stop


def _fill(plan: Plan, table: Table, piece: _Piece, place: Ints | None, matrix: Floats) -> None:
    entity, order, codes, changes, carried = piece
    is_event = table.is_event[order]
    events, entities = (order, codes) if is_event.all() else (order[is_event], codes[is_event])
    events_columns = Sorted(table.columns, events)
    events_rows = EventRows(events_columns, entities)
    rows: Rows = events_rows if changes is None else LabelledRows(events_rows, changes, plan.label_delays)
    if carried is not None:
        rows = WithSummaries(carried, rows)
    to = order
    if place is not None:
        mine = place[order] >= 0
        order, codes = order[mine], codes[mine]
        to = place[order]
    exact_from = None
    if entity.state == "events" and table.rank is not None:
        exact_from = _exact_from(table.rank, events, entities, order, codes)
        if carried is not None:  # Each stands before its entity's events.
            exact_from += carried.entity.searchsorted(codes, side="right")
    # Queries in the history's own order, so that neighbouring searches touch neighbouring memory.
    asked_columns = events_columns if events is order else Sorted(table.columns, order)
    own = np.empty((len(plan.own), len(codes)), dtype=np.int64)
    for row, field in zip(own, plan.own, strict=True):
        row[:] = event_field(field, asked_columns)
    queries = Queries(codes, asked_columns["ts_ms"], own, exact_from)
    plan.run(History(rows), queries, to, matrix)


def _exact_from(rank: Ints, events: Ints, entities: Ints, order: Ints, codes: Ints) -> Ints:
    """Where each query's exact events begin in its history: at the customer's last EXACT_EVENTS before it."""
    longest = int(rank.max()) + 1
    return (entities * longest + rank[events]).searchsorted(
        codes * longest + np.maximum(rank[order] - EXACT_EVENTS, 0)
    )


def _changes_of(table: Table, order: Ints, codes: Ints) -> Changes:
    """The label changes of transactions that have the entity's keys."""
    code = _code_of_rows(table, order, codes)
    changes = table.changes.where(code[table.changes.row] >= 0)
    return Changes(code[changes.row], table.ts, changes)


def _carried_rows(table: Table, entity: Entity, order: Ints, codes: Ints) -> SummaryRows:
    """What was carried of the entities, by entity."""
    row, summary, rows = table.carried[entity]
    code = _code_of_rows(table, order, codes)[row]
    by_entity = np.argsort(code, kind="stable")
    return SummaryRows(summary, code[by_entity], rows[by_entity])


def _code_of_rows(table: Table, order: Ints, codes: Ints) -> Ints:
    """The entity's code of each row of the table, -1 where a row lacks its keys."""
    code = np.full(len(table.ts), -1)
    code[order] = codes
    return code


def columns_of(
    transactions: pl.DataFrame, ids: Sequence[str], threads: Executor | None = None
) -> dict[str, Ints]:
    """Numbers, and ids as codes. Raises ValueError when a number is outside its column's range."""
    numbers = {name: checked(name, transactions[name].cast(pl.Int64).to_numpy()) for name in COLUMNS}
    absent = pl.Series([None], dtype=pl.String).new_from_index(0, len(transactions))
    keys = {name: transactions.get_column(name, default=absent) for name in ("customer_id", *ids)}
    return {
        **numbers,
        **dict(zip(keys, (threads.map if threads else map)(codes_of, keys.values()), strict=True)),
    }


def codes_of(keys: pl.Series) -> Ints:
    """A code from 0 for each different text, -1 for null."""
    codes = keys.cast(pl.String).cast(pl.Categorical(pl.Categories.random())).to_physical()
    return codes.cast(pl.Int64).fill_null(-1).to_numpy()


def stable_order(codes: Ints) -> Ints:
    """Order by code; equal ones stay as they are. By 16 bits at a time: those NumPy sorts in linear time."""
    order = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    if codes.max(initial=0) <= 0xFFFF:
        return order
    return order[stable_order(codes[order] >> 16)]


def first_of_each(frame: pl.DataFrame) -> Bools:
    """Which rows are events: of several with the same customer and transaction_id the first."""
    hashes = np.sort(frame["transaction_id"].hash().to_numpy())  # Several times faster than the texts.
    if (hashes[1:] != hashes[:-1]).all():
        return np.ones(len(frame), dtype=np.bool_)
    return frame.select(pl.struct(KEY).is_first_distinct()).to_series().to_numpy()
