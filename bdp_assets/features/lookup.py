"""What the online store knows of one customer or merchant: their window features at a time, and the state
behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bdp_assets.clients.redis import run
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.fields import EVENTS, Field
from bdp_assets.features.formulas import NUMBERS
from bdp_assets.features.layout import Series
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.packed import NO_PAST, Asked, Packed, PackedPlan, Past
from bdp_assets.features.records import NEWEST, TIME, Events, unpack
from bdp_assets.features.spec import CUSTOMER, Entity, WindowFeature
from bdp_assets.features.summaries import Summary
from bdp_assets.features.times import span

State = list[dict[str, int]]


@dataclass(frozen=True)
class Known:
    """`values`: window features for a transaction at `at_ms`, without features of the transaction itself.

    `state`: what is stored, by title: a row an event (in order of application), or a tile; times in ms.
    """

    at_ms: int
    values: dict[str, float]
    state: Mapping[str, State]


class UnknownEntity(ValueError):  # noqa: N818 - what was asked for, not a defect
    """The catalog has no such entity, or none with state of its own."""


def look_up(store: OnlineStore, entity: str, identifier: str, at_ms: int | None = None) -> Known | None:
    """What is known of the customer, merchant ... with this id; None for nothing. Raises UnknownEntity.

    `at_ms`: by default when all that is stored counts.
    """
    if entity == CUSTOMER.name:
        return _customer(store, identifier, at_ms)
    shared = {one.name: one for one in store.layout.shared}
    if entity not in shared:
        raise UnknownEntity(
            f"there is no {entity} in the online store; there are {', '.join([CUSTOMER.name, *shared])}"
        )
    return _shared(store, shared[entity], identifier, at_ms)


def _customer(store: OnlineStore, customer_id: str, at_ms: int | None) -> Known | None:
    layout = store.layout
    packed, folded = run(
        store.client, [("GET", layout.events(customer_id)), ("GET", layout.folded(customer_id))]
    )
    if not packed:
        return None
    events = Events.unpack([packed], layout.ids)
    last = events.table[-1]
    newest = max(int(last[NEWEST]), int(last[TIME]))
    past = Past(Packed.of([packed]), events.sequence[-1:] + 1, np.array([newest]))
    at = newest + 1 if at_ms is None else at_ms
    values = {}
    if features := store.catalog.entities.get(CUSTOMER):
        values = _values(store, features, layout.customer, Packed.of([folded or b""]), past, at)
    columns = {"apply_seq": events.sequence, "ts_ms": events.ts}
    columns |= {name: events.columns[name] for name in NUMBERS}
    state = {"events": _rows(columns)}
    if folded:
        _, table = unpack([folded], layout.customer.width)
        state["folded"] = _rows({"start_ms": table[:, 0], "events": table[:, 1]})
    return Known(at, values, state)


def _shared(store: OnlineStore, entity: Entity, identifier: str, at_ms: int | None) -> Known | None:
    series = store.layout.shared[entity]
    [reply] = run(store.client, [("MGET", *store.layout.tiles(entity, identifier))])
    if not any(reply):
        return None
    tiles = {
        one: unpack([packed or b""], one.summary.width)[1] for one, packed in zip(series, reply, strict=True)
    }
    ends = [
        int(table[:, 0].max()) + one.hop + max(f.delay for f in one.features)
        for one, table in tiles.items()
        if len(table)
    ]
    at = max(ends) if at_ms is None else at_ms
    values: dict[str, float] = {}
    state = {}
    for (one, table), packed in zip(tiles.items(), reply, strict=True):
        values |= _values(store, one.features, one.summary, Packed.of([packed or b""]), NO_PAST, at)
        state[f"tiles of {span(one.hop)}"] = _rows({"start_ms": table[:, 0], **_fields(one, table)})
    return Known(at, values, state)


def _fields(series: Series, table: Ints) -> dict[str, Ints]:
    fields = dict.fromkeys(column.field for column in series.summary.columns)
    return {_title(field): series.summary.field(field, table) for field in fields}


def _title(field: Field) -> str:
    words = (field.kind, field.column, field.filter)
    return "events" if field == EVENTS else " ".join(word for word in words if word)


def _values(  # noqa: PLR0913, PLR0917 - two kinds of rows, and when
    store: OnlineStore,
    features: tuple[WindowFeature, ...],
    summary: Summary,
    summaries: Packed,
    past: Past,
    at_ms: int,
) -> dict[str, float]:
    plan = PackedPlan(store.engine.plan(features), features[0].entity, summary, store.layout)
    own = np.array([[field.absent] for field in store.engine.own], dtype=np.int64).reshape(-1, 1)
    first = np.zeros(1, dtype=np.int64)
    matrix = store.engine.empty(1)
    plan.run(summaries, past, Asked(first, np.array([at_ms]), first, own), matrix)
    value = dict(zip(store.catalog.names, matrix[:, 0].tolist(), strict=True))
    return {f.name: value[f.name] for f in features}


def _rows(columns: Mapping[str, Ints]) -> State:
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*(c.tolist() for c in columns.values()), strict=True)
    ]
