"""The history door of enrichment, and the features as corrected: days of the lake, computed from the lake.

Both use the batch kernel; they differ in what a transaction may see. Enriched history is what the online
store would have served, had the history been played in order; `features` sees every event, by either door.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import IS_HISTORY, TABLES, rows

KEY = ["customer_id", "transaction_id"]
SEEN = [*CATALOG.columns, EVENT_DATE]
"""Columns of a transaction that features read."""


def enriched_history(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Rows of the table `enriched` for the backfilled transactions of the days first..last, by time."""
    transactions = rows(lake, "validated", None, (first, last), IS_HISTORY).sort("ts_ms", maintain_order=True)
    features = _features(lake, "validated", first, last, IS_HISTORY)
    enriched = transactions.with_columns(
        catalog_version=pl.lit(CATALOG.version), apply_seq=_apply_seq(lake, transactions, first)
    )
    return enriched.join(features, on=KEY, maintain_order="left").select(TABLES["enriched"].names())


def corrected_features(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Rows of the table `features` for the transactions of the days first..last, by time."""
    features = _features(lake, "enriched", first, last)
    return features.with_columns(catalog_version=pl.lit(CATALOG.version)).select(TABLES["features"].names())


def visible(
    lake: Lake,
    table: str,
    days: tuple[date, date],
    columns: Sequence[str] = SEEN,
    filters: pl.Expr | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All that the features of a table's rows of the days first..last can see: rows by time, and labels."""
    first, last = days
    labels = rows(lake, "labels", None, (date.min, last))
    start = reach(first)
    read = partial(rows, lake, table, columns, filters=filters)
    late = _labelled_late(labels, start)
    parts = [read(dates=(start, last))]
    if not late.is_empty():
        oldest = read(dates=(date.min, start - timedelta(days=1)))
        parts.insert(0, oldest.join(late, on=KEY, how="semi"))
    return pl.concat(parts).sort("ts_ms", maintain_order=True), labels


def reach(first: date) -> date:
    """The earliest day of which a transaction of that day can see anything."""
    return date.min if CATALOG.reach_days is None else first - timedelta(days=CATALOG.reach_days)


def _features(
    lake: Lake, table: str, first: date, last: date, filters: pl.Expr | None = None
) -> pl.DataFrame:
    """Keys, ts_ms, features and event date of the table's rows of the days first..last, by time."""
    history, labels = visible(lake, table, (first, last), filters=filters)
    asked = history[EVENT_DATE] >= first
    return build_features(history, labels, only=asked).with_columns(history.filter(asked)[EVENT_DATE])


def _labelled_late(labels: pl.DataFrame, start: date) -> pl.DataFrame:
    """Keys of transactions before `start` whose label became known after it: they count as frauds since."""
    known_since = labels.filter(pl.col(EVENT_DATE) >= start)
    before = pl.from_epoch("ts_ms", time_unit="ms").dt.date() < start
    return known_since.filter(before | pl.col("ts_ms").is_null()).select(KEY).unique()


def _apply_seq(lake: Lake, transactions: pl.DataFrame, first: date) -> pl.Series:
    """Each customer's transactions numbered from 1 in order of time, over all of the history."""
    before = rows(lake, "validated", ["customer_id"], (date.min, first - timedelta(days=1)), IS_HISTORY)
    offsets = before.group_by("customer_id").len("before")
    numbered = transactions.select(
        "customer_id", seq=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("customer_id")
    ).join(offsets, on="customer_id", how="left", maintain_order="left")
    return numbered.select(apply_seq=pl.col("seq") + pl.col("before").fill_null(0)).to_series()
