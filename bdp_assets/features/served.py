"""From what the store returned to feature vectors: which events count, and the kernel run on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bdp_assets.features import compiled
from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.fields import Bools, Field, event_field
from bdp_assets.features.history import History, Queries, Rows
from bdp_assets.features.kernel import Engine, Plan
from bdp_assets.features.layout import Layout, Series
from bdp_assets.features.records import Batch, column_names, record_width, unpack
from bdp_assets.features.spec import CUSTOMER, EXACT_EVENTS, FOLD, Entity
from bdp_assets.features.summaries import SummaryRows, WithSummaries, retired

_PIECE_BYTES = 2**21


@dataclass(frozen=True)
class Shared:
    """Packed tiles of each different id of a shared entity, by series; and which id each transaction has."""

    tiles: Mapping[str, Sequence[bytes]]
    code: Ints
    """int64 [n], -1 without an id."""


@dataclass(frozen=True)
class Seen:
    """What n transactions may see. `records`, `folded`: of the customer, packed, for each transaction.

    `sequence`, `newest`: int64 [n], its own apply sequence and the newest event time before it. `pairs`: the
    packed summary of the pair, for each transaction, by entity.
    """

    records: Sequence[bytes]
    folded: Sequence[bytes]
    pairs: Mapping[Entity, Sequence[bytes]]
    sequence: Ints
    newest: Ints
    shared: Mapping[Entity, Shared]

    def part(self, rows: slice) -> Seen:
        """What some of the transactions may see of their own customers."""
        return Seen(
            records=self.records[rows],
            folded=self.folded[rows],
            pairs={entity: packed[rows] for entity, packed in self.pairs.items()},
            sequence=self.sequence[rows],
            newest=self.newest[rows],
            shared={},
        )


class StoredEvents:
    """Events of customers as rows of a history. `ts`: when they count; `exact`: those that are not folded."""

    are_events = True

    def __init__(self, entity: Ints, ts: Ints, columns: Mapping[str, Ints], exact: Bools) -> None:
        self.entity = entity
        self.ts = ts
        self.columns = columns
        self.exact = exact
        self._all_exact = bool(exact.all())

    @classmethod
    def of(cls, seen: Seen, layout: Layout) -> StoredEvents:
        """What each transaction sees: the events with a smaller sequence than its own.

        All but the last EXACT_EVENTS of them are folded. What lies before the retention of that moment has
        retired: no window holds it, but those over all history.
        """
        row, table = unpack(seen.records, record_width(layout.ids))
        names = column_names(layout.ids)
        columns = np.empty((len(names), len(row)), dtype=np.int64)
        entity, ts, exact = np.empty((3, len(row)), dtype=np.int64)
        count = compiled.events_seen(
            *(
                table,
                row,
                seen.sequence,
                seen.newest,
                EXACT_EVENTS,
                FOLD,
                layout.events_ms,
                layout.is_endless,
            ),
            *(entity, ts, exact, columns),
        )
        known = dict(zip(names, columns[:, :count], strict=True))
        return cls(entity[:count], ts[:count], known, exact[:count] > 0)

    def where(self, mask: Bools) -> StoredEvents:
        if mask.all():
            return self
        columns = {name: values[mask] for name, values in self.columns.items()}
        return StoredEvents(self.entity[mask], self.ts[mask], columns, self.exact[mask])

    def paired(self, mask: Bools, is_endless: bool) -> StoredEvents:
        """A pair's events: those folded count in windows over all history only."""
        found = self.where(mask if is_endless or self._all_exact else mask & self.exact)
        if found._all_exact:
            return found
        return StoredEvents(found.entity, np.where(found.exact, found.ts, BEFORE), found.columns, found.exact)

    def field(self, field: Field) -> Ints:
        values = event_field(field, self.columns)
        return values if field.kind != "id" or self._all_exact else np.where(self.exact, values, -1)


class Draft(NamedTuple):
    """What transactions say alone: `matrix` float64 [features, n] with defaults for the rest; `own` fields of
    each, int64 [fields, n]."""

    batch: Batch
    matrix: Floats
    own: Ints

    def part(self, rows: slice) -> Draft:
        return Draft(self.batch.part(rows), self.matrix[:, rows], self.own[:, rows])


class Answering:
    """Feature vectors of a batch of transactions, from what they may see."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self._engine = engine
        self._layout = layout
        self._series = {
            entity: [(one, engine.plan(one.features)) for one in series]
            for entity, series in layout.shared.items()
        }

    def draft(self, batch: Batch) -> Draft:
        """As far as one gets without the store: time to spend while it is asked."""
        matrix = self._engine.empty(len(batch))
        self._engine.begin(matrix, batch.columns)
        own = np.empty((len(self._engine.own), len(batch)), dtype=np.int64)
        for row, field in zip(own, self._engine.own, strict=True):
            row[:] = event_field(field, batch.columns)
        return Draft(batch, matrix, own)

    def vectors(self, draft: Draft, seen: Seen) -> Floats:
        """float64 [n, features], finite."""
        batch, matrix, _ = draft
        if any(entity.state == "events" for entity in self._engine.plans):
            pieces = list(_pieces(seen.records))
            for rows in pieces if len(pieces) > 1 else ():
                self._owned(draft.part(rows), seen.part(rows))
            if len(pieces) == 1:
                self._owned(draft, seen)
        for entity, shared in seen.shared.items():
            known = np.flatnonzero(shared.code >= 0)
            for series, plan in self._series[entity]:
                events = tile_rows(series, shared.tiles[series.name])
                _run(plan, events, draft, known, shared.code[known])
        self._engine.finish(matrix, batch.columns)
        return np.ascontiguousarray(matrix.T)

    def _owned(self, draft: Draft, seen: Seen) -> None:
        """Windows of the customer and of pairs with one."""
        events = StoredEvents.of(seen, self._layout)
        for entity, plan in self._engine.plans.items():
            if entity == CUSTOMER:
                rows = np.arange(len(draft.batch))
                own_events = customer_rows(self._layout, seen, events)
            elif entity.state == "events":
                own = draft.batch.columns[entity.keys[1]]
                rows = np.flatnonzero(own >= 0)
                own_events = _pair_rows(self._layout, entity, seen, events, own)
            else:
                continue
            _run(plan, own_events, draft, rows, rows)


def _pieces(records: Sequence[bytes]) -> Iterator[slice]:
    """Slices of transactions with about `_PIECE_BYTES` of events: what is made of them fits into caches."""
    start, size = 0, 0
    for at, one in enumerate(records):
        size += len(one)
        if size >= _PIECE_BYTES:
            yield slice(start, at + 1)
            start, size = at + 1, 0
    if start < len(records) or not records:
        yield slice(start, len(records))


def _run(plan: Plan, events: Rows, draft: Draft, rows: Ints, entity: Ints) -> None:
    """Fill in the plan's features of some rows; `entity`: whose events each of them sees."""
    slots = plan.slots[:, None]
    if not events.entity.size and plan.without_events is not None:
        draft.matrix[slots, rows] = plan.without_events
        return
    own = draft.own[plan.own_at[:, None], rows] if plan.own else draft.own[:0, : len(rows)]
    queries = Queries(entity, draft.batch.columns["ts_ms"][rows], own)
    for part, values in plan.run(History(events), queries):
        draft.matrix[slots, rows[part]] = values


def customer_rows(layout: Layout, seen: Seen, events: StoredEvents) -> Rows:
    if not any(seen.folded):
        return events
    row, table = unpack(seen.folded, layout.customer.width)
    table = table.copy()
    table[:, 0] = retired(table[:, 0], seen.newest[row] - layout.events_ms)
    return WithSummaries(SummaryRows(layout.customer, row, table), events)


def _pair_rows(layout: Layout, entity: Entity, seen: Seen, events: StoredEvents, own: Ints) -> Rows:
    summary = layout.pairs.get(entity)
    key = own[events.entity]
    mine = events.paired((events.columns[entity.keys[1]] == key) & (key >= 0), summary is not None)
    packed = seen.pairs.get(entity, ())
    if summary is None or not any(packed):
        return mine
    return WithSummaries(SummaryRows(summary, *unpack(packed, summary.width)), mine)


def tile_rows(series: Series, packed: Sequence[bytes]) -> SummaryRows:
    return SummaryRows(series.summary, *unpack(packed, series.summary.width))


def nothing_seen(batch: Batch, layout: Layout) -> Seen:
    """As if nothing had happened before."""
    zeros = np.zeros(len(batch), dtype=np.int64)
    shared = {
        entity: Shared({one.name: [b""] * len(batch) for one in series}, np.arange(len(batch)))
        for entity, series in layout.shared.items()
    }
    without_id = {
        entity: Shared(one.tiles, np.where(batch.columns[entity.keys[0]] >= 0, one.code, -1))
        for entity, one in shared.items()
    }
    none = [b""] * len(batch)
    return Seen(none, none, {}, zeros, zeros, without_id)
