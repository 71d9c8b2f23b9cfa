"""From what the store returned to feature vectors: which events count, and the kernel run on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.history import History, Measure, Queries, measured
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import MOST_EVENTS
from bdp_assets.features.records import Batch, Events, Tiles
from bdp_assets.features.spec import CUSTOMER, CUSTOMER_MERCHANT, MERCHANT, Entity


@dataclass(frozen=True)
class Seen:
    """What n transactions may see. `records`: the customer's packed events, for each transaction.

    `sequence` and `newest`: int64 [n], its own apply sequence and the newest event time before it.
    `tiles`: packed tiles, for each different merchant; `merchant_row`: which of them are a merchant's.
    """

    records: Sequence[bytes]
    sequence: Ints
    newest: Ints
    tiles: Sequence[bytes]
    merchant_row: Mapping[str, int]

    @classmethod
    def nothing(cls, merchants: Sequence[str | None]) -> Seen:
        zeros, known = np.zeros(len(merchants), np.int64), [m for m in merchants if m is not None]
        return cls(
            [b""] * len(merchants), zeros, zeros, [b""] * len(known), {m: i for i, m in enumerate(known)}
        )

    def events(self, retention: int) -> Events:
        """Events applied before each transaction, within the bound and the retention (ms) of that moment."""
        events = Events.unpack(self.records)
        own = self.sequence[events.row]
        mask = events.sequence < own
        mask &= events.sequence >= own - MOST_EVENTS
        mask &= events.ts > self.newest[events.row] - retention
        return events.where(mask)


class Answering:
    """Feature vectors of a batch of transactions, from what they may see. `tiled`: the measures in a tile."""

    def __init__(self, engine: Engine, retention: int, tiled: Sequence[Measure]) -> None:
        self._engine = engine
        self._retention = retention
        self._tiled = tiled

    def vectors(self, batch: Batch, seen: Seen) -> Floats:
        """float64 [n, features], finite."""
        events = seen.events(self._retention)
        matrix = self._engine.empty(len(batch.merchants))
        for entity, plan in self._engine.plans.items():
            rows, queries = _queries(entity, batch, seen, plan.own)
            history = self.history(entity, batch, events, seen, plan.measures)
            for part, slots, values in plan.run(history, queries):
                matrix[slots, rows[part]] = values
        self._engine.finish(matrix, batch.columns)
        return np.ascontiguousarray(matrix.T)

    def history(
        self, entity: Entity, batch: Batch, events: Events, seen: Seen, measures: Sequence[Measure]
    ) -> History:
        if entity == CUSTOMER:
            return events_history(events, measures)
        if entity == CUSTOMER_MERCHANT:
            return events_history(events.where(events.merchant == batch.hashes[events.row]), measures)
        if entity == MERCHANT:
            return tiles_history(seen.tiles, self._tiled)
        raise NotImplementedError(f"the online store keeps no state of {entity.name}")


def _queries(entity: Entity, batch: Batch, seen: Seen, own: Sequence[Measure]) -> tuple[Ints, Queries]:
    """The rows that have the entity's key, and their questions, numbered as the history is."""
    rows = np.arange(len(batch.merchants))
    if entity != CUSTOMER:
        rows = np.array([i for i, merchant in enumerate(batch.merchants) if merchant is not None], np.int64)
    codes = rows
    if entity == MERCHANT:
        codes = np.array([seen.merchant_row[m] for m in batch.merchants if m is not None], np.int64)
    return rows, Queries(
        codes, batch.columns["ts_ms"][rows], {m: measured(batch.columns, m)[rows] for m in own}
    )


def events_history(events: Events, measures: Sequence[Measure]) -> History:
    return History(events.row, events.ts, {measure: events.measure(measure) for measure in measures})


def tiles_history(packed: Sequence[bytes], tiled: Sequence[Measure]) -> History:
    tiles = Tiles.unpack(packed, len(tiled))
    return History(tiles.row, tiles.table[:, 0], {m: tiles.table[:, 1 + i] for i, m in enumerate(tiled)})
