"""From what the store returned to feature vectors: which events count, and the kernel run on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.fields import event_field
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.packed import NO_PAST, Asked, Packed, PackedPlan, Past
from bdp_assets.features.records import Batch
from bdp_assets.features.spec import CUSTOMER, Entity
from bdp_assets.features.summaries import Summary


class Shared(NamedTuple):
    """Packed tiles of each different id of a shared entity, by series; and which id each transaction has."""

    tiles: Mapping[str, Sequence[bytes]]
    code: Ints
    """int64 [n], -1 without an id."""


class Seen(NamedTuple):
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
        self._owned = [
            (entity, PackedPlan(plan, entity, summary_of(layout, entity), layout))
            for entity, plan in engine.plans.items()
            if entity.state == "events"
        ]
        self._series = {
            entity: [
                (one.name, PackedPlan(engine.plan(one.features), entity, one.summary, layout))
                for one in series
            ]
            for entity, series in layout.shared.items()
        }

    def draft(self, batch: Batch) -> Draft:
        """As far as one gets without the store: time to spend while it is asked."""
        matrix = self._engine.empty(len(batch))
        self._engine.begin(matrix, batch.columns)
        own = np.empty((len(self._engine.own), len(batch)), dtype=np.int64)
        for row, field in enumerate(self._engine.own):
            own[row] = event_field(field, batch.columns)
        return Draft(batch, matrix, own)

    def vectors(self, draft: Draft, seen: Seen) -> Floats:
        """float64 [n, features], finite."""
        columns, ts, own = draft.batch.columns, draft.batch.columns["ts_ms"], draft.own
        if self._owned:
            past = Past(Packed.of(seen.records), seen.sequence, seen.newest)
            itself = np.arange(len(ts))
        for entity, plan in self._owned:
            is_customer = entity == CUSTOMER
            summaries = Packed.of(seen.folded if is_customer else seen.pairs.get(entity, ()))
            pair = itself if is_customer else columns[entity.keys[1]]
            plan.run(summaries, past, Asked(itself, ts, pair, own), draft.matrix)
        for entity, shared in seen.shared.items():
            for name, plan in self._series[entity]:
                tiles = Packed.of(shared.tiles[name])
                plan.run(tiles, NO_PAST, Asked(shared.code, ts, shared.code, own), draft.matrix)
        self._engine.finish(draft.matrix, columns)
        return np.ascontiguousarray(draft.matrix.T)


def summary_of(layout: Layout, entity: Entity) -> Summary | None:
    """Of what is folded of a customer or of a pair with one; None: nothing is."""
    return layout.customer if entity == CUSTOMER else layout.pairs.get(entity)


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
