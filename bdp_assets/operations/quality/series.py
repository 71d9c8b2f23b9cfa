"""The tables' hours: how many rows, how old the newest, how many repeated, how many late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import topics
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.times import HOUR
from bdp_assets.ingest.tables import SOURCE_COLUMNS, TABLES
from bdp_assets.monitoring.quality.findings import Check
from bdp_assets.monitoring.quality.hours import JudgedHours, judge
from bdp_assets.monitoring.quality.measures import Floats, ages, counts, shares
from bdp_assets.operations.quality.catalog import IS_REPEAT, Watched
from bdp_assets.streaming.analytics.catalog import WINDOWS

_, _PARTITION, _OFFSET = SOURCE_COLUMNS
_HOURLY = next(window for window in WINDOWS if window.size_ms == window.hop_ms == HOUR)


@dataclass(frozen=True)
class Span:
    """Whole hours from `start` up to, not including, `end` (UTC)."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> int:
        return int((self.end - self.start) / timedelta(milliseconds=HOUR))

    def rows(self, lake: Lake, table: str, time_ms: str) -> pl.LazyFrame:
        """Rows of the span with `hour` (0: the first), none where there is no table."""
        if not lake.exists(table):
            return pl.LazyFrame(schema={**TABLES[table], "hour": pl.Int64})
        start_ms, end_ms = (int(one.timestamp() * 1000) for one in (self.start, self.end))
        days = pl.col(EVENT_DATE).is_between(self.start.date(), self.end.date())
        inside = pl.col(time_ms).is_between(start_ms, end_ms, closed="left")
        hour = (pl.col(time_ms) - start_ms) // HOUR
        return lake.scan(table).filter(days, inside).with_columns(hour=hour)

    def placed(self, by_hour: pl.DataFrame, column: str, empty: float) -> Floats:
        """A column of a frame with `hour`, as float64 [hours]; `empty` where it has no row."""
        values = np.full(self.hours, empty)
        values[by_hour["hour"].to_numpy()] = by_hour[column].to_numpy()
        return values


def judged_hours(lake: Lake, watched: Watched, span: Span) -> Iterator[JudgedHours]:
    """What is asked of the table's hours."""
    if watched.has_volume or watched.has_freshness:
        yield from _by_own_time(lake, watched, span)
    if watched.table == "raw":
        yield _repeated(lake, span)
    if watched.table == "validated":
        yield _late(lake, span)


def _by_own_time(lake: Lake, watched: Watched, span: Span) -> Iterator[JudgedHours]:
    """Hours before the table's first row say nothing, nor does the one in which it began."""
    latest = pl.col(watched.time_ms).filter(watched.counted).max().fill_null(-np.inf)
    rows = span.rows(lake, watched.table, watched.time_ms).group_by("hour")
    by_hour = rows.agg(rows=watched.counted.sum(), newest=latest).collect()
    if by_hour.is_empty():
        return
    before = np.arange(span.hours) <= int(by_hour["hour"].min())  # type: ignore[arg-type]
    if watched.has_volume:
        volume = np.where(before, np.nan, span.placed(by_hour, "rows", 0.0))
        yield judge(watched.table, Check.VOLUME, span.start, counts(volume))
    if watched.has_freshness:
        start_ms = int(span.start.timestamp() * 1000)
        newest = np.maximum.accumulate(span.placed(by_hour, "newest", -np.inf))
        ends = start_ms + HOUR * (np.arange(span.hours) + 1.0)
        age = np.where(before, np.nan, (ends - newest) / 1000)
        yield judge(watched.table, Check.FRESHNESS, span.start, ages(age))


def _repeated(lake: Lake, span: Span) -> JudgedHours:
    """Transactions that were refused because they came before, of all that came in the hour."""
    all_rows = span.rows(lake, "raw", "received_ms").group_by("hour").agg(rows=pl.len()).collect()
    refused = span.rows(lake, "quarantined", "received_ms").filter(IS_REPEAT)
    repeated = refused.group_by("hour").agg(rows=pl.len()).collect()
    of = span.placed(all_rows, "rows", 0.0)
    some = np.minimum(span.placed(repeated, "rows", 0.0), of)
    return judge("raw", Check.DUPLICATES, span.start, shares(some, of))


def _late(lake: Lake, span: Span) -> JudgedHours:
    """Transactions that came when the hourly window of their time was over, and its grace, by arrival."""
    arrived = pl.LazyFrame(schema={"hour": pl.Int64, "late": pl.Boolean})
    if lake.exists("raw") and lake.exists("validated"):
        messages = span.rows(lake, "raw", "received_ms").filter(pl.col("topic") == topics.RAW.name)
        keys = {_PARTITION: pl.col("partition").cast(pl.Int64), _OFFSET: pl.col("offset")}
        closed = (pl.col("ts_ms") // HOUR + 1) * HOUR + _HOURLY.grace_ms
        arrived = (
            lake.scan("validated")
            .filter(pl.col(_OFFSET).is_not_null())
            .select(*keys, "ts_ms")
            .join(messages.select("hour", "received_ms", **keys), on=list(keys))
            .select("hour", late=pl.col("received_ms") >= closed)
        )
    by_hour = arrived.group_by("hour").agg(rows=pl.len(), late=pl.col("late").sum()).collect()
    of, some = (span.placed(by_hour, column, 0.0) for column in ("rows", "late"))
    return judge("validated", Check.LATE_SHARE, span.start, shares(some, of))
