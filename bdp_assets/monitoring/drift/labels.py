"""Labels of equal age: what was known of each transaction so many days after its own day."""

from __future__ import annotations

import polars as pl

from bdp_assets.features.labels import KEY
from bdp_assets.features.times import DAY
from bdp_assets.monitoring.drift.counting import FRAUD


def with_due_labels(
    rows: pl.DataFrame, labels: pl.DataFrame, delay_days: int, known_to_ms: int
) -> pl.DataFrame:
    """`rows` (KEY, ts_ms) plus FRAUD: 1 or 0 as known `delay_days` after the end of the row's UTC day.

    Null where that is after `known_to_ms`, up to which `labels` (KEY, is_fraud, known_at_ms) are there.
    """
    due = (pl.col("ts_ms") // DAY + 1 + delay_days) * DAY
    known = (
        labels.select(*KEY, "is_fraud", "known_at_ms")
        .join(rows.select(*KEY, due_ms=due), on=KEY)
        .filter(pl.col("known_at_ms") < pl.col("due_ms"))
        .sort("known_at_ms", maintain_order=True)
        .unique(KEY, keep="last", maintain_order=True)
        .select(*KEY, pl.col("is_fraud").cast(pl.Float64).alias(FRAUD))
    )
    fraud = pl.when(due <= known_to_ms).then(pl.col(FRAUD).fill_null(0.0))
    return rows.join(known, on=KEY, how="left", maintain_order="left").with_columns(fraud.alias(FRAUD))
