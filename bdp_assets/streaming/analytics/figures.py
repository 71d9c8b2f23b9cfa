"""From transactions to figures: pure functions on frames, the same for a micro-batch and for the whole lake.

Only integers are summed; a mean or a rate is formed by whoever reads them. Frames have the columns that the
functions name, times are UTC epoch milliseconds (int64).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from bdp_assets.streaming.analytics.catalog import DIMENSIONS, HIGH_VALUE_BASE_MINOR, WINDOWS, Window

KEY = ("customer_id", "transaction_id")
GROUP = ("window_name", "start_ms", "dimension", "member")
MEASURES = ("count", "volume_base_minor", "max_base_minor", "high_value_count", "fraud_count")

NEVER = -1
"""Stream time of a partition that has had no message."""


def with_stream_time(events: pl.DataFrame) -> pl.DataFrame:
    """Add `stream_ms`: the largest ts_ms that the partition had before each event, duplicates included.

    Events come in the order of their offsets within each `partition`; `reached_ms` is that partition's stream
    time before its first one here. So lateness does not depend on batches, or on how many workers run.
    """
    before = pl.col("ts_ms").cum_max().shift(1).over("partition")
    return events.with_columns(stream_ms=pl.max_horizontal(before, "reached_ms"))


def first_of_each(events: pl.DataFrame) -> pl.DataFrame:
    """A transaction counts once: the first that came."""
    return events.unique(KEY, keep="first", maintain_order=True)


def as_counts(events: pl.DataFrame) -> pl.DataFrame:
    """Each event with the measures that it adds to its windows."""
    amount = pl.col("amount_base_minor")
    return _measured(
        events,
        count=pl.lit(1),
        volume_base_minor=amount,
        max_base_minor=amount,
        high_value_count=amount >= HIGH_VALUE_BASE_MINOR,
        fraud_count=pl.lit(0),
    )


def as_fraud_changes(events: pl.DataFrame) -> pl.DataFrame:
    """Each event, counted before, with what its label changes: one more if `is_fraud`, else one less."""
    nothing = {name: pl.lit(0) for name in MEASURES}
    return _measured(events, **{**nothing, "fraud_count": pl.when("is_fraud").then(1).otherwise(-1)})


def _measured(events: pl.DataFrame, **measures: pl.Expr) -> pl.DataFrame:
    return events.select(
        *KEY,
        "ts_ms",
        "stream_ms",
        *DIMENSIONS,
        **{name: measure.cast(pl.Int64) for name, measure in measures.items()},
    )


def placed(events: pl.DataFrame, windows: Sequence[Window] = WINDOWS) -> pl.DataFrame:
    """One row for each window that an event lies in, with `window_name`, `start_ms`, `end_ms` and `is_late`.

    No window begins before 1970.
    """
    return pl.concat([_placed(events, window) for window in windows])


def _placed(events: pl.DataFrame, window: Window) -> pl.DataFrame:
    newest = pl.col("ts_ms") // window.hop_ms * window.hop_ms
    starts = [newest - back for back in range(0, window.size_ms, window.hop_ms)]
    end = pl.col("start_ms") + window.size_ms
    return (
        events.with_columns(window_name=pl.lit(window.name), start_ms=pl.concat_list(starts))
        .explode("start_ms")
        .filter(pl.col("start_ms") >= 0)
        .with_columns(end_ms=end, is_late=end + window.grace_ms <= pl.col("stream_ms"))
    )


def by_member(rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each dimension that a row has a member of, with `dimension` and `member`."""
    others = [name for name in rows.columns if name not in DIMENSIONS]
    return rows.unpivot(DIMENSIONS, index=others, variable_name="dimension", value_name="member").drop_nulls(
        "member"
    )


def sums(rows: pl.DataFrame) -> pl.DataFrame:
    """What the rows in time add to each group: GROUP, `end_ms` and MEASURES, in the order of GROUP."""
    added = [pl.col(name).max() if name.startswith("max_") else pl.col(name).sum() for name in MEASURES]
    return by_member(rows.filter(~pl.col("is_late"))).group_by(*GROUP, "end_ms").agg(added).sort(GROUP)
