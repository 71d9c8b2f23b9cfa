"""Fill the online store from tables: the state it would have, had those rows come in one by one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from bdp_assets.clients.redis import Redis, run
from bdp_assets.clients.redis_exchange import Command
from bdp_assets.features.generations import begin, settle, switch
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
    """Replace the state of the store's catalog by what tables say, see `fill`; saved decisions stay.

    Writers must stand still meanwhile: what they claim during this is lost. `operations/rebuild_store.py`
    does it under traffic. Raises Superseded.
    """
    layout = begin(store.client, store.layout)
    result = fill(store.client, layout, transactions, labels)
    switch(store.client, layout, asdict(result), keep_previous=False)
    settle(store.client, layout, lag_s=0)
    store.bind()
    return result


def fill(client: Redis, layout: Layout, transactions: pl.DataFrame, labels: pl.DataFrame) -> RebuildResult:
    """Write an empty generation. Raises StoreUnavailable.

    `transactions`: validated rows in order of arrival, with body_hash and, where they came by stream,
    `coordinates` (String `topic id:partition:offset`). Where that is null or no column, the row is published
    already: a stream delivery of it is a duplicate. With a column `apply_seq` a row has that apply sequence,
    unless so many came before it that it must be a greater one; without, rows are counted from 1. Bring all
    of them; what windows can not reach any more is not written. `labels`: as for `build_features`.
    """
    started = time.perf_counter()
    wanted = {*layout.ids, *(entity.keys[0] for entity in layout.shared)} - set(transactions.columns)
    absent = [pl.lit(None, pl.String).alias(name) for name in sorted(wanted)]
    arrived = transactions.unique(KEY, keep="first", maintain_order=True).with_columns(absent)
    customers = customers_of(layout, arrived)
    shared = [shared_of(layout, entity, arrived, labels) for entity in layout.shared]
    _write(client, customer_commands(layout, customers))
    for one in shared:
        _write(client, shared_commands(layout, one))
    return RebuildResult(
        customers=customers.kept["customer_id"].n_unique(),
        events=len(customers.kept),
        merchants=sum(len(one.names) for one in shared),
        tiles=sum(len(table) for one in shared for _, table in one.tiles.values()),
        seconds=round(time.perf_counter() - started, 3),
    )


def _write(client: Redis, commands: Iterable[Command]) -> None:
    waiting = iter(commands)
    while block := list(islice(waiting, _COMMANDS)):
        run(client, block)
