"""Store state == as-served recompute: the online store is asked questions whose answers tables can tell.

For a sample of customers who paid lately, the store says (dry: nothing is claimed) what a next transaction of
theirs would see, now and once every delay is over; the batch kernel says it from the lake, and from the topic
where that is ahead. Both must agree to the last bit, and the last transaction must be known. Of the
past only rows of the sample's customers, merchants and so on are read. Of merchants at which a customer paid
who was erased since, and of those that frauds are told of which no table has, the store may know more than
the tables until it is rebuilt: there the rest is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.clients.kafka import stream_range, topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.redis import StoreUnavailable, connect
from bdp_assets.contracts import columns
from bdp_assets.contracts.codec import decode_enriched
from bdp_assets.contracts.records import EnrichedTransaction, Label, ValidatedTransaction
from bdp_assets.contracts.topics import ENRICHED, LABELS, Topic
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.labels import beside
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.spec import EXACT_EVENTS, MERCHANT_ID
from bdp_assets.features.times import DAY
from bdp_assets.ingest import erased
from bdp_assets.ingest.backfill import reach
from bdp_assets.ingest.erased import blurred
from bdp_assets.ingest.landing import DESTINATIONS
from bdp_assets.ingest.tables import TABLES
from bdp_assets.settings import Settings
from bdp_assets.streaming.worker import STORE_TIMEOUT_MS

SAMPLE = 100
"""Customers."""
RECENT = 500
"""Last offsets of each partition that they are chosen from."""
AFTER_MS = (1, 8 * DAY)
"""When the next transaction is, after all that is known: at once, and when merchants' windows reach all."""
KEYS = sorted({entity.keys[0] for entity in CATALOG.entities})
SEEN = list(dict.fromkeys(["customer_id", "transaction_id", *KEYS, *CATALOG.columns]))

Range = dict[tuple[str, int], tuple[int, int]]


@dataclass(frozen=True)
class Probed:
    """Answers of the store that were compared, and what differs: a feature or the claim, in how many."""

    compared: int
    different: dict[str, int]
    untold: int = 0
    """Merchants that were not compared: frauds are told of them which no table has."""


def probe(settings: Settings, lake: Lake, sample: int = SAMPLE) -> Probed:
    """Nobody may pay meanwhile. Raises StoreUnavailable (also of an empty one), KafkaUnavailable,
    KafkaRefused, OffsetsGone."""
    payers = _recent_payers(settings, lake, sample)
    if not payers:
        return Probed(0, {})
    store = OnlineStore(connect(settings.model_copy(update={"redis_timeout_ms": STORE_TIMEOUT_MS})))
    if not store.ready():
        raise StoreUnavailable("the online store is empty: `bdp features rebuild-online`")
    history, labels = _history(settings, lake, payers), _labels(settings, lake)
    latest = max(_latest(history, "ts_ms"), _latest(labels, "known_at_ms"))
    different = np.zeros(len(CATALOG.names), dtype=np.int64)
    untold = _untold(history, labels, payers)
    unknowable = _unknowable(payers, _erased_at(lake, payers) | untold)
    compared, forgotten = len(payers), sum(not _is_known(store, payer) for payer in payers)
    for after_ms in AFTER_MS:
        asked = [_next(payer, latest + after_ms) for payer in payers]
        answers = [store.enrich_dry(one) for one in asked]
        known = [i for i, answer in enumerate(answers) if answer.apply_seq <= EXACT_EVENTS]
        told = np.array([answers[i].features for i in known]).reshape(len(known), -1)
        wrong = told != _recomputed(history, labels, [asked[i] for i in known])
        different += (wrong & ~unknowable[known]).sum(axis=0)
        compared += len(known)
    counts = {"claim": forgotten, **dict(zip(CATALOG.names, different.tolist(), strict=True))}
    different_in = {name: number for name, number in counts.items() if number}
    return Probed(compared, different_in, len(untold & {payer.merchant_id for payer in payers}))


def _erased_at(lake: Lake, payers: Sequence[EnrichedTransaction]) -> set[str]:
    """Merchants whose windows may hold what was erased."""
    return set(blurred(lake, _first_day(payers))[MERCHANT_ID])


def _untold(history: pl.DataFrame, labels: pl.DataFrame, payers: Sequence[EnrichedTransaction]) -> set[str]:
    """Merchants whose windows may hold frauds which no table has."""
    known_on = pl.from_epoch("known_at_ms", time_unit="ms").dt.date()
    seen = labels.filter(known_on >= reach(_first_day(payers)))
    return set(beside(history, seen)[MERCHANT_ID])


def _first_day(payers: Sequence[EnrichedTransaction]) -> date:
    return datetime.fromtimestamp(min(payer.ts_ms for payer in payers) / 1000, UTC).date()


def _unknowable(payers: Sequence[EnrichedTransaction], places: AbstractSet[str]) -> NDArray[np.bool_]:
    """Which features of which payers are made of what all did at those merchants, bool [payers, features]."""
    at_one = np.array([[payer.merchant_id in places] for payer in payers], dtype=np.bool_)
    return at_one & np.array([name in CATALOG.shared for name in CATALOG.names], dtype=np.bool_)


def _recent_payers(settings: Settings, lake: Lake, sample: int) -> list[EnrichedTransaction]:
    """The last transaction of each, of the customers who paid last; never of one who was erased."""
    is_erased = erased.of(settings, lake).cover
    marks = watermarks(settings, [ENRICHED.name])
    tail = {partition: (max(low, end - RECENT), end) for partition, (low, end) in marks.items()}
    last = {one.customer_id: one for one in _enriched(settings, tail) if not is_erased(one.customer_id, None)}
    return sorted(last.values(), key=lambda record: (-record.ts_ms, record.customer_id))[:sample]


def _enriched(settings: Settings, ranges: Range) -> list[EnrichedTransaction]:
    return [decode_enriched(m.value or b"") for batch in stream_range(settings, ranges) for m in batch]


def _history(settings: Settings, lake: Lake, payers: Sequence[EnrichedTransaction]) -> pl.DataFrame:
    """All transactions of the payers, and of whom they paid: those in the lake, then those that are not."""
    theirs = pl.any_horizontal(
        pl.col(key).is_in([value for payer in payers if (value := getattr(payer, key)) is not None])
        for key in KEYS
    )
    landed, ranges = _snapshot(settings, lake, ENRICHED)
    fresh = columns.to_frame(_enriched(settings, ranges), EnrichedTransaction, "ts_ms")
    return pl.concat([landed.filter(theirs).select(SEEN).collect(), fresh.filter(theirs).select(SEEN)])


def _labels(settings: Settings, lake: Lake) -> pl.DataFrame:
    landed, ranges = _snapshot(settings, lake, LABELS)
    decode = msgspec.json.Decoder(Label).decode
    fresh = [decode(m.value or b"") for batch in stream_range(settings, ranges) for m in batch]
    wanted = [*Label.__struct_fields__]
    rows = columns.to_frame(fresh, Label, "known_at_ms")
    return pl.concat([landed.select(wanted).collect(), rows.select(wanted)])


def _snapshot(settings: Settings, lake: Lake, topic: Topic) -> tuple[pl.LazyFrame, Range]:
    """The topic's table as it is now, and the offsets that are not in it."""
    table, marks = DESTINATIONS[topic.name].table, watermarks(settings, [topic.name])
    if not lake.exists(table):
        return pl.LazyFrame(schema=TABLES[table]), marks
    version, topic_id = lake.version(table), topic_ids(settings, [topic.name])[topic.name]
    ranges = {}
    for (name, partition), (low, end) in marks.items():
        landed = lake.landed(table, f"{table}:{topic_id}:{partition}", version)
        ranges[name, partition] = (low if landed is None else landed, end)
    return lake.scan(table, version), ranges


def _latest(frame: pl.DataFrame, column: str) -> int:
    latest = frame[column].max()
    return latest if isinstance(latest, int) else 0


def _is_known(store: OnlineStore, payer: EnrichedTransaction) -> bool:
    """Whether the claim on the transaction stands, with its place among the customer's."""
    answer = store.enrich_dry(payer)
    return (answer.status, answer.apply_seq) == ("redelivery", payer.apply_seq)


def _next(payer: EnrichedTransaction, ts_ms: int) -> ValidatedTransaction:
    """The payer's last transaction once more, under an id that nobody has."""
    fields = {name: getattr(payer, name) for name in ValidatedTransaction.__struct_fields__}
    return ValidatedTransaction(**{**fields, "transaction_id": f"?verify-{ts_ms}", "ts_ms": ts_ms})


def _recomputed(
    history: pl.DataFrame, labels: pl.DataFrame, asked: Sequence[ValidatedTransaction]
) -> np.ndarray:
    """float64 [asked, features]: they are all of one moment, so none sees another."""
    rows = columns.to_frame(asked, ValidatedTransaction, "ts_ms").select(SEEN)
    everything = pl.concat([history, rows])
    only = pl.Series([False] * len(history) + [True] * len(rows))
    return build_features(everything, labels, only=only).select(CATALOG.names).to_numpy()
