"""From what the store returned to feature vectors: which events count, and the kernel run on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bdp_assets.features import compiled
from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.fields import Bools, event_field
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.packed import NO_PART, Asked, PackedPlan, Part
from bdp_assets.features.records import FIXED, Batch, column_names, record_width, unpack
from bdp_assets.features.spec import CUSTOMER, EXACT_EVENTS, FOLD, Entity
from bdp_assets.features.summaries import Summary, retired

_PIECE_BYTES = 2**19


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


class StoredEvents(NamedTuple):
    """Events of customers, as a part of a history; `exact`: which are not folded, bool [n]; None: all."""

    part: Part
    exact: Bools | None

    @classmethod
    def of(cls, seen: Seen, layout: Layout) -> StoredEvents:
        """What each transaction sees: the events with a smaller sequence than its own.

        All but the last EXACT_EVENTS of them are folded. What lies before the retention of that moment has
        retired: no window holds it, but those over all history.
        """
        row, table = unpack(seen.records, record_width(layout.ids))
        columns = np.empty((table.shape[1] - FIXED + 1, len(row)), dtype=np.int64)
        entity, ts, exact = np.empty((3, len(row)), dtype=np.int64)
        count = compiled.events_seen(
            *(table, row, seen.sequence, seen.newest),
            *(EXACT_EVENTS, FOLD, layout.events_ms, layout.is_endless),
            *(entity, ts, exact, columns),
        )
        is_exact = exact[:count] > 0
        return cls(Part(entity[:count], ts[:count], columns), None if is_exact.all() else is_exact)

    def paired(self, key: Ints, own: Ints, is_endless: bool) -> StoredEvents:
        """Those of pairs: with the same `key` as the transaction that sees them has as its `own`.

        Of those that are folded, only windows over all history know.
        """
        entity, ts, columns = self.part
        mine = own[entity]
        mask = (key == mine) & (key >= 0)
        if self.exact is not None and not is_endless:
            mask &= self.exact
        exact = None if self.exact is None or not is_endless else self.exact[mask]
        when = ts[mask] if exact is None else np.where(exact, ts[mask], BEFORE)
        return StoredEvents(Part(entity[mask], when, columns.take(np.flatnonzero(mask), axis=1)), exact)


class Draft(NamedTuple):
    """What transactions say alone: `matrix` float64 [features, n] with defaults for the rest; `own` fields of
    each, int64 [fields, n]."""

    batch: Batch
    matrix: Floats
    own: Ints


class Answering:
    """Feature vectors of a batch of transactions, from what they may see."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self._engine = engine
        self._layout = layout
        names = column_names(layout.ids)
        self._owned_plans = [
            (entity, PackedPlan(plan, summary_of(layout, entity), names))
            for entity, plan in engine.plans.items()
            if entity.state == "events"
        ]
        self._series = {
            entity: [(one, PackedPlan(engine.plan(one.features), one.summary, names)) for one in series]
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
        batch, matrix, own = draft
        if self._owned_plans:
            for rows in _pieces(seen.records):
                self._owned(draft, seen.part(rows), rows.start)
        ts = batch.columns["ts_ms"]
        for entity, shared in seen.shared.items():
            known = np.flatnonzero(shared.code >= 0)
            asked = Asked(shared.code[known], ts[known], known)
            for series, plan in self._series[entity]:
                tiles = summaries_of(shared.tiles[series.name], series.summary)
                plan.run(tiles, NO_PART, None, asked, own, matrix)
        self._engine.finish(matrix, batch.columns)
        return np.ascontiguousarray(matrix.T)

    def _owned(self, draft: Draft, seen: Seen, first: int) -> None:
        """Windows of the customer and of pairs with one; `first`: where in the batch they begin."""
        events = StoredEvents.of(seen, self._layout)
        here = np.arange(len(seen.records))
        ts = draft.batch.columns["ts_ms"][first : first + len(here)]
        for entity, plan in self._owned_plans:
            if entity == CUSTOMER:
                summaries = folded_of(seen, self._layout)
                plan.run(summaries, *events, Asked(here, ts, here + first), draft.own, draft.matrix)
                continue
            own = draft.batch.columns[entity.keys[1]][first : first + len(here)]
            rows = np.flatnonzero(own >= 0)
            summary = self._layout.pairs.get(entity)
            mine = events.paired(plan.column(entity.keys[1], events.part), own, summary is not None)
            summaries = NO_PART if summary is None else summaries_of(seen.pairs.get(entity, ()), summary)
            plan.run(summaries, *mine, Asked(rows, ts[rows], rows + first), draft.own, draft.matrix)


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


def summary_of(layout: Layout, entity: Entity) -> Summary | None:
    """Of what is folded of a customer or of a pair with one; None: nothing is."""
    return layout.customer if entity == CUSTOMER else layout.pairs.get(entity)


def summaries_of(packed: Sequence[bytes], summary: Summary) -> Part:
    """Summaries as a part of a history, each of its own entity."""
    if not any(packed):
        return NO_PART
    entity, table = unpack(packed, summary.width)
    columns = np.ascontiguousarray(table.T)
    return Part(entity, columns[0], columns)


def folded_of(seen: Seen, layout: Layout) -> Part:
    """What was folded of customers: of what has retired by now, windows over all history know."""
    entity, ts, columns = part = summaries_of(seen.folded, layout.customer)
    return part if not len(ts) else Part(entity, retired(ts, seen.newest[entity] - layout.events_ms), columns)


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
