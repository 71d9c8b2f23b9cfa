"""Rebuilds the online store from the lake and Kafka, beside the one that serves; nobody has to stop.

1. Fill a new generation from the lake: everything up to the offsets that have landed.
2. Catch up from the topics: what was published since. Labels may land before their transactions: those that
   the fill could not place come in between, once the transactions are there.
3. Switch. From here on the new one serves. What was claimed on the old one and has not come by Kafka yet
   comes along customer by customer (see `features/generations.py`), and workers bring in batches that they
   committed in between (see `streaming/following.py`).
4. Remove the old one.

Killed at any point it leaves a store that serves; the next rebuild removes what it left, or ends its switch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict

import polars as pl

from bdp_assets.clients.kafka import topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.redis import Redis, connect
from bdp_assets.contracts.columns import columns_of, records_of
from bdp_assets.contracts.records import Label
from bdp_assets.contracts.topics import ENRICHED, LABELS, Topic
from bdp_assets.features import positions
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.generations import begin, settle, switch
from bdp_assets.features.labelling import apply_labels
from bdp_assets.features.layout import Layout
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.positions import Kind
from bdp_assets.features.rebuild import RebuildResult, fill
from bdp_assets.ingest import erased
from bdp_assets.ingest.landing import DESTINATIONS
from bdp_assets.ingest.tables import IS_HISTORY, TABLES
from bdp_assets.operations.erasure.tombstones import publish_tombstones
from bdp_assets.settings import Settings
from bdp_assets.streaming.catch_up import CHUNK, CatchUp
from bdp_assets.streaming.worker import STORE_TIMEOUT_MS

SEEN = [*CATALOG.columns, "body_hash", "door", "apply_seq"]
LAG_S = 2 * STORE_TIMEOUT_MS / 1000
"""After so long every call of the store that began before the switch has ended."""

_log = logging.getLogger(__name__)


def rebuild_store(
    settings: Settings,
    lake: Lake,
    *,
    lag_s: float = LAG_S,
    reached: Callable[[str], None] = lambda point: None,
) -> tuple[RebuildResult, bool]:
    """Replace the store's state by what enriched transactions and labels say.

    Returns what was written from the lake, and whether the store says of itself that it is ready. `reached`
    is told of each step that is done. Raises StoreUnavailable, KafkaUnavailable, KafkaRefused, OffsetsGone
    (Kafka has removed what the lake did not land), Superseded.

    All of the past, not only what windows reach: a customer's apply sequence counts from the first one.
    """
    client = connect(settings.model_copy(update={"redis_timeout_ms": STORE_TIMEOUT_MS}))
    store = OnlineStore(client)
    settle(client, store.layout, lag_s)  # a switch that was not finished
    generation = begin(client, store.layout)
    enriched, labels = (_snapshot(settings, lake, client, generation, topic) for topic in (ENRICHED, LABELS))
    result = fill(client, generation, _in_order(enriched), labels)
    reached("filled")
    publish_tombstones(settings, lake)  # where the store was lost with all processes, nobody else does
    is_erased = erased.of(settings, lake).cover
    CatchUp(settings, client, is_erased).transactions(generation)
    _apply(client, generation, _unplaced(labels, enriched))
    _catch_up(CatchUp(settings, client, is_erased), generation)
    reached("caught up")
    _catch_up(CatchUp(settings, client, is_erased), generation)
    reached("about to switch")
    switch(client, generation, asdict(result), keep_previous=True)
    reached("switched")
    settle(client, generation, lag_s)
    _catch_up(CatchUp(settings, client, is_erased), generation)
    reached("settled")
    return result, store.ready()


def _snapshot(settings: Settings, lake: Lake, client: Redis, layout: Layout, topic: Topic) -> pl.DataFrame:
    """Rows of the topic's table; writes down the offsets up to which they are, of the same version."""
    table = DESTINATIONS[topic.name].table
    version = lake.version(table) if lake.exists(table) else None
    topic_id = topic_ids(settings, [topic.name])[topic.name]
    filled = {}
    for (_, partition), (low, _) in watermarks(settings, [topic.name]).items():
        application = f"{table}:{topic_id}:{partition}"
        landed = None if version is None else lake.landed(table, application, version)
        filled[partition] = low if landed is None else landed
    positions.write(client, layout, Kind.FILLED, topic_id, filled)
    wanted = SEEN if topic is ENRICHED else TABLES[table].names()
    if version is None:
        return pl.DataFrame(schema=TABLES[table]).select(wanted)
    return lake.read(table, wanted, version=version)


def _in_order(enriched: pl.DataFrame) -> pl.DataFrame:
    """History came first; within a door, a customer's transactions in the order they were applied in."""
    streamed = pl.when(IS_HISTORY.not_()).then("apply_seq")
    return enriched.sort(IS_HISTORY.not_(), "apply_seq", maintain_order=True).with_columns(apply_seq=streamed)


def _unplaced(labels: pl.DataFrame, enriched: pl.DataFrame) -> list[Label]:
    """Labels of transactions that the fill did not have, in the order in which they became known."""
    others = labels.join(enriched, on=["customer_id", "transaction_id"], how="anti").sort("known_at_ms")
    return records_of(others.select(list(columns_of(Label))), Label)


def _apply(client: Redis, generation: Layout, labels: Sequence[Label]) -> None:
    """As the labels worker does; by what is known already each counts once."""
    for start in range(0, len(labels), CHUNK):
        some = labels[start : start + CHUNK]
        apply_labels(client, generation, some, [None] * len(some))


def _catch_up(topics: CatchUp, generation: Layout) -> None:
    counts = {"transactions": topics.transactions(generation), "labels": topics.labels(generation)}
    _log.info("caught up", extra=counts)
