"""The history door of enrichment, and the features as corrected: days of the lake, computed from the lake.

Both use the batch kernel; they differ in what a transaction may see. Enriched history is what the online
store would have served, had the history been played in order; `features` sees every event, by either door.
"""

from __future__ import annotations

from datetime import date, timedelta

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


def _features(
    lake: Lake, table: str, first: date, last: date, filters: pl.Expr | None = None
) -> pl.DataFrame:
    """Keys, ts_ms, features and event date of the table's rows of the days first..last, by time."""
    labels = rows(lake, "labels", None, (date.min, last))
    start = date.min if CATALOG.reach_days is None else first - timedelta(days=CATALOG.reach_days)
    history = pl.concat(
        [
            _late_labelled(lake, table, start, labels, filters),
            rows(lake, table, SEEN, (start, last), filters),
        ]
    ).sort("ts_ms", maintain_order=True)
    asked = history[EVENT_DATE] >= first
    return build_features(history, labels, only=asked).with_columns(history.filter(asked)[EVENT_DATE])


def _late_labelled(
    lake: Lake, table: str, start: date, labels: pl.DataFrame, filters: pl.Expr | None
) -> pl.DataFrame:
    """Transactions before `start` whose label became known after it: they count as known frauds since."""
    known_since = labels.filter(pl.col(EVENT_DATE) >= start)
    before = pl.from_epoch("ts_ms", time_unit="ms").dt.date() < start
    late = known_since.filter(before | pl.col("ts_ms").is_null())
    if late.is_empty():
        return pl.DataFrame(schema=TABLES[table]).select(SEEN)
    oldest = rows(lake, table, SEEN, (date.min, start - timedelta(days=1)), filters)
    return oldest.join(late.select(KEY).unique(), on=KEY, how="semi")


def _apply_seq(lake: Lake, transactions: pl.DataFrame, first: date) -> pl.Series:
    """Each customer's transactions numbered from 1 in order of time, over all of the history."""
    before = rows(lake, "validated", ["customer_id"], (date.min, first - timedelta(days=1)), IS_HISTORY)
    offsets = before.group_by("customer_id").len("before")
    numbered = transactions.select(
        "customer_id", seq=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("customer_id")
    ).join(offsets, on="customer_id", how="left", maintain_order="left")
    return numbered.select(apply_seq=pl.col("seq") + pl.col("before").fill_null(0)).to_series()
