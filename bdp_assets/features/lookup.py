"""What the online store knows of one customer or merchant: their window features at a time, and the state
behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bdp_assets.clients.redis import run
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.formulas import EVENT_COLUMNS
from bdp_assets.features.history import EVENTS, History, Queries
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.records import Events, Tiles
from bdp_assets.features.served import events_history, tiles_history
from bdp_assets.features.spec import CUSTOMER, MERCHANT, Entity


@dataclass(frozen=True)
class Known:
    """`values`: window features for a transaction at `at_ms`, without features of the transaction itself.

    `state`: what is stored, a row an event (in order of application) or a tile; times in ms.
    """

    at_ms: int
    values: dict[str, float]
    state: list[dict[str, int]]


def customer(store: OnlineStore, customer_id: str, at_ms: int | None = None) -> Known | None:
    """None for a customer without events. `at_ms`: by default just after the newest event."""
    packed = run(store.client, [("GET", store.layout.events(customer_id))])[0]
    if not packed:
        return None
    events = Events.unpack([packed])
    at = int(events.ts.max()) + 1 if at_ms is None else at_ms
    columns = {"apply_seq": events.sequence, "ts_ms": events.ts}
    columns |= {name: events.column(name) for name in EVENT_COLUMNS}
    history = events_history(events, store.engine.plans[CUSTOMER].measures)
    return Known(at, _values(store, CUSTOMER, history, at), _rows(columns))


def merchant(store: OnlineStore, merchant_id: str, at_ms: int | None = None) -> Known | None:
    """None for a merchant without tiles. `at_ms`: by default when the newest tile is first read."""
    packed = run(store.client, [("HGET", store.layout.tiles(merchant_id), "t")])[0]
    if not packed:
        return None
    table = Tiles.unpack([packed], len(store.layout.measures)).table
    delay = max(feature.delay for feature in store.catalog.entities[MERCHANT])
    at = int(table[-1, 0]) + store.layout.tile_ms + delay if at_ms is None else at_ms
    names = [
        "events" if m == EVENTS else f"{m.filter or ''} {m.column or ''}".strip()
        for m in store.layout.measures
    ]
    columns = {"tile_ms": table[:, 0]} | {name: table[:, 1 + i] for i, name in enumerate(names)}
    return Known(
        at, _values(store, MERCHANT, tiles_history([packed], store.layout.measures), at), _rows(columns)
    )


def _values(store: OnlineStore, entity: Entity, history: History, at_ms: int) -> dict[str, float]:
    matrix = store.engine.empty(1)
    plan = store.engine.plans[entity]
    zero = np.zeros(1, dtype=np.int64)
    queries = Queries(zero, np.array([at_ms], dtype=np.int64), dict.fromkeys(plan.own, zero))
    for _, slots, values in plan.run(history, queries):
        matrix[slots, 0] = values
    asked = {feature.name for feature in store.catalog.entities[entity]}
    return {name: float(matrix[i, 0]) for i, name in enumerate(store.catalog.names) if name in asked}


def _rows(columns: dict[str, Ints]) -> list[dict[str, int]]:
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*(c.tolist() for c in columns.values()), strict=True)
    ]
