"""Fill the online store from tables: the state it would have, had those rows come in one by one.

The writers (stream workers, the API) must stand still meanwhile: what they claim during a rebuild is lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from bdp_assets.clients.redis import Command, Redis, run
from bdp_assets.features.labels import KEY
from bdp_assets.features.layout import Layout
from bdp_assets.features.rebuild_customers import customer_commands, customers_of
from bdp_assets.features.rebuild_shared import shared_commands, shared_of

if TYPE_CHECKING:
    from bdp_assets.features.online import OnlineStore

_COMMANDS = 200  # In one round trip: it has to be answered within the client's time-out.


@dataclass(frozen=True)
class RebuildResult:
    """What was written: customers and their events, merchants (shared entities) and their tiles."""

    customers: int
    events: int
    merchants: int
    tiles: int
    seconds: float


def rebuild(store: OnlineStore, transactions: pl.DataFrame, labels: pl.DataFrame) -> RebuildResult:
    """Replace the state of the store's catalog; `ready` is unset first and set last.

    `transactions`: validated rows in order of arrival, with body_hash and, where they came by stream,
    `coordinates` (String `topic id:partition:offset`). Where that is null or no column, the row is published
    already: a stream delivery of it is a duplicate. The apply sequence counts a customer's rows from 1, so
    bring all of them; what windows can not reach any more is not written. `labels`: as for `build_features`.
    Saved decisions stay.
    """
    started = time.perf_counter()
    run(store.client, [("DEL", store.layout.ready)])
    _clear(store.client, store.layout)
    absent = [pl.lit(None, pl.String).alias(n) for n in store.catalog.ids if n not in transactions.columns]
    arrived = transactions.unique(KEY, keep="first", maintain_order=True).with_columns(absent)
    customers = customers_of(store.layout, arrived)
    shared = [shared_of(store.layout, entity, arrived, labels) for entity in store.layout.shared]
    _write(store.client, customer_commands(store.layout, customers))
    for one in shared:
        _write(store.client, shared_commands(store.layout, one))
    result = RebuildResult(
        customers=customers.kept["customer_id"].n_unique(),
        events=len(customers.kept),
        merchants=sum(len(one.names) for one in shared),
        tiles=sum(len(table) for one in shared for _, table in one.tiles.values()),
        seconds=round(time.perf_counter() - started, 3),
    )
    run(store.client, [("SET", store.layout.ready, json.dumps(asdict(result)))])
    return result


def _clear(client: Redis, layout: Layout) -> None:
    """Remove this catalog's customers and shared entities, and nobody else's keys; saved decisions stay."""
    patterns = [layout.events("*"), layout.folded("*"), layout.paired("*")]
    patterns += [f"{layout.tiles(entity, '*')}*" for entity in layout.shared]
    for pattern in patterns:
        cursor, started = 0, False
        while cursor or not started:
            started = True
            reply, keys = run(client, [("SCAN", cursor, "MATCH", pattern, "COUNT", 1_000)])[0]
            cursor = int(reply)
            run(client, [("UNLINK", *keys)] if keys else [])


def _write(client: Redis, commands: Iterable[Command]) -> None:
    waiting = iter(commands)
    while block := list(islice(waiting, _COMMANDS)):
        run(client, block)
