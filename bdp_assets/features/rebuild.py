"""Fill the online store from tables: the state it would have, had those rows come in one by one.

The writers (stream workers, the API) must stand still meanwhile: what they claim during a rebuild is lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from bdp_assets.clients.redis import Command, Redis, run
from bdp_assets.features.formulas import COLUMNS
from bdp_assets.features.labels import KEY
from bdp_assets.features.layout import MOST_EVENTS, SPARE_EVENTS, Layout
from bdp_assets.features.rebuild_tiles import tile_commands, tiles_of
from bdp_assets.features.records import HISTORY, RECORD_BYTES, Batch, pack, source, transaction_key

if TYPE_CHECKING:
    from bdp_assets.features.online import OnlineStore

_COMMANDS = 200  # In one round trip: it has to be answered within the client's time-out.


@dataclass(frozen=True)
class RebuildResult:
    """What was written: customers and merchants, the events and tiles in them, and the seconds it took."""

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
    arrived = transactions.unique(KEY, keep="first", maintain_order=True)
    events = _events(store.layout, arrived)
    tiles = tiles_of(store.layout, arrived, labels)
    _write(store.client, _event_commands(store.layout, events))
    _write(store.client, tile_commands(store.layout, tiles))
    result = RebuildResult(
        customers=events["customer_id"].n_unique(),
        events=len(events),
        merchants=tiles.table["merchant_id"].n_unique(),
        tiles=len(tiles.table),
        seconds=round(time.perf_counter() - started, 3),
    )
    run(store.client, [("SET", store.layout.ready, json.dumps(asdict(result)))])
    return result


def _clear(client: Redis, layout: Layout) -> None:
    """Remove this catalog's customers and merchants, and nobody else's keys."""
    for pattern in (f"{layout.prefix}{{c:*}}:e", f"{layout.prefix}{{m:*"):
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


def _events(layout: Layout, arrived: pl.DataFrame) -> pl.DataFrame:
    """The events retained, customer by customer in order of arrival, with `sequence` and `newest` before."""
    ts, newest = pl.col("ts_ms"), pl.col("ts_ms").max().over("customer_id")
    last = pl.col("sequence").max().over("customer_id")
    return (
        arrived.with_columns(
            sequence=pl.int_range(1, pl.len() + 1).over("customer_id"),
            newest=ts.cum_max().shift(1).over("customer_id").fill_null(ts),
        )
        .filter(ts > newest - layout.events_ms, newest > ts.max() - layout.events_ms)
        .filter(pl.col("sequence") > last - MOST_EVENTS - SPARE_EVENTS)
        .sort("customer_id", maintain_order=True)
    )


def _event_commands(layout: Layout, events: pl.DataFrame) -> Iterator[Command]:
    columns = {name: events[name].cast(pl.Int64).to_numpy() for name in COLUMNS}
    kept = Batch(columns, events["merchant_id"].to_list()).kept()
    moments = events.select("sequence", "ts_ms", "newest").to_numpy().astype(np.int64)
    packed, at = pack(moments, _identities(events), kept), 0
    for length, customer_id in events["customer_id"].rle().struct.unnest().iter_rows():
        end = at + length * RECORD_BYTES
        yield ("SET", layout.events(customer_id), packed[at:end], "EX", layout.events_ms // 1000)
        at = end


def _identities(events: pl.DataFrame) -> list[bytes]:
    places = events["coordinates"] if "coordinates" in events.columns else [None] * len(events)
    rows = zip(places, events["transaction_id"], events["body_hash"], strict=True)
    return [
        (HISTORY if place is None else source(place)) + transaction_key(transaction_id) + bytes.fromhex(body)
        for place, transaction_id, body in rows
    ]
