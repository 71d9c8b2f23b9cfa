"""Eleven weeks of sound tables with a weekly season, and one day of them to spoil."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import columns, topics
from bdp_assets.contracts.records import (
    DeadLetter,
    Decision,
    Door,
    EnrichedTransaction,
    Label,
    Prediction,
    ValidatedTransaction,
)
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import DOOR, TABLES

END = datetime(2026, 5, 1, tzinfo=UTC)
DAY = date(2026, 4, 30)
"""The last one, a Thursday."""
WEEKS = 11
BUSY, QUIET = 40, 20
"""Transactions an hour: by day in the week, and else. In each hour the first was sent twice."""
TABLE_DAYS = f"{columns.EVENT_DATE} = '{DAY}'"
_HOUR_MS = 3_600_000


def sound_lake(folder: str) -> Lake:
    """Tables raw, validated, quarantined, predictions, labels; and enriched, of DAY alone."""
    lake, sent = Lake(folder), _sent()
    lake.append("raw", _table("raw", _raw(sent)))
    lake.append("validated", _table("validated", _of(_validated(), sent, "ts_ms", source=True)))
    lake.append("predictions", _table("predictions", _of(_prediction(), sent, "ts_ms")))
    lake.append("labels", _table("labels", _of(_label(), sent, "known_at_ms").with_columns(door=_STREAM)))
    today = sent.filter(pl.col("ms") >= int((END - timedelta(days=1)).timestamp() * 1000))
    lake.append("enriched", _table("enriched", _of(_enriched(), today, "ts_ms")))
    first = sent.filter(pl.col("number_in_hour") == 0)
    lake.append("quarantined", _table("quarantined", _of(_refused(), first, "received_ms", ids=False)))
    return lake


_STREAM = pl.lit(Door.STREAM.value).alias(DOOR)


def _sent() -> pl.DataFrame:
    """offset, ms, number_in_hour of each message: evenly spread over its hour."""
    start = END - timedelta(weeks=WEEKS)
    hours = pl.DataFrame({"at": [start + timedelta(hours=n) for n in range(WEEKS * 7 * 24)]})
    busy = pl.col("at").dt.hour().is_between(8, 20) & (pl.col("at").dt.weekday() < 6)
    rows = hours.with_columns(rows=pl.when(busy).then(BUSY).otherwise(QUIET))
    each = rows.with_columns(number_in_hour=pl.int_ranges("rows")).explode("number_in_hour")
    ms = pl.col("at").dt.epoch("ms") + pl.col("number_in_hour") * _HOUR_MS // pl.col("rows")
    return each.select("number_in_hour", ms=ms, offset=pl.int_range(pl.len()))


def _table(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    whole = pl.concat([pl.DataFrame(schema=TABLES[table]), rows], how="diagonal_relaxed")
    return whole.select(TABLES[table].names()).cast(dict(TABLES[table]))  # type: ignore[arg-type]


def _raw(sent: pl.DataFrame) -> pl.DataFrame:
    return sent.select(
        pl.lit(topics.RAW.name).alias("topic"),
        pl.lit(0).alias("partition"),
        "offset",
        pl.col("ms").alias("received_ms"),
        pl.lit("{}").alias("value"),
        _STREAM,
        columns.event_date("ms"),
    )


def _of(
    sample: pl.DataFrame, sent: pl.DataFrame, time_ms: str, *, ids: bool = True, source: bool = False
) -> pl.DataFrame:
    """The sample row for each message, with that one's time and, `ids`, names."""
    rows = sent.select("offset", "ms").join(sample, how="cross")
    rows = rows.with_columns(pl.col("ms").alias(time_ms), columns.event_date("ms"))
    if ids:
        number = pl.col("offset").cast(pl.String)
        rows = rows.with_columns(
            transaction_id="t-" + number, customer_id="c-" + (pl.col("offset") % 500).cast(pl.String)
        )
    else:
        rows = rows.with_columns(source_offset="offset")
    if source:
        rows = rows.with_columns(source_topic_id=pl.lit("id"), source_partition=0, source_offset="offset")
    return rows


_IDS = {"transaction_id": "t", "customer_id": "c", "ts_ms": 0}
_MONEY = {"currency": "USD", "amount_minor": 5, "amount_base_minor": 5, "rates_version": "r"}
_TEXTS = {"timestamp": "2026-04-30T00:00:00Z", "amount": "0.05", "body_hash": "0" * 32}


def _validated() -> pl.DataFrame:
    record = ValidatedTransaction(**_IDS, **_MONEY, **_TEXTS)  # type: ignore[arg-type]
    return columns.to_frame([record], ValidatedTransaction, "ts_ms")


def _enriched() -> pl.DataFrame:
    record = EnrichedTransaction(
        **_IDS,  # type: ignore[arg-type]
        **_MONEY,  # type: ignore[arg-type]
        **_TEXTS,  # type: ignore[arg-type]
        catalog_version=CATALOG.version,
        apply_seq=1,
        features=dict.fromkeys(CATALOG.names, 0.5),
    )
    return columns.to_frame([record], EnrichedTransaction, "ts_ms")


def _prediction() -> pl.DataFrame:
    record = Prediction(
        **_IDS,  # type: ignore[arg-type]
        amount_base_minor=5,
        fraud_probability=0.01,
        decision=Decision.APPROVE,
        reasons=[],
        model_name="fraud_ensemble",
        model_version="3",
        policy_version="p",
        catalog_version="c",
        apply_seq=1,
        features={},
        degraded=False,
        decided_by="stream",
        decided_at_ms=0,
    )
    return columns.to_frame([record], Prediction, "ts_ms")


def _label() -> pl.DataFrame:
    record = Label(transaction_id="t", customer_id="c", is_fraud=False, known_at_ms=0)
    return columns.to_frame([record], Label, "known_at_ms")


def _refused() -> pl.DataFrame:
    record = DeadLetter(
        source_topic=topics.RAW.name,
        source_partition=0,
        source_offset=0,
        received_ms=0,
        error="duplicate",
        field="transaction_id",
        message="came before",
        value_base64="e30=",
    )
    return columns.to_frame([record], DeadLetter, "received_ms")
