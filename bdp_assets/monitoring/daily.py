"""One day of the platform in numbers: rows of each table by the door they came through."""

from __future__ import annotations

from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE

DOORS = {
    "raw": pl.col("door"),
    "labels": pl.col("door"),
    "validated": pl.col("door"),
    "quarantined": pl.col("source_topic"),
    "enriched": pl.col("door"),
    "features": pl.lit("both"),
    "predictions": pl.col("decided_by"),
    "alerts": pl.lit("stream"),
}
"""What tells the door of a table's row."""


def row_counts(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Columns table, door, event_date, rows of the days first..last; a table that is not there has none."""
    present = [table for table in DOORS if lake.exists(table)]
    counts = [
        lake.scan(table)
        .filter(pl.col(EVENT_DATE).is_between(pl.lit(first), pl.lit(last)))
        .group_by(EVENT_DATE, door=DOORS[table])
        .agg(rows=pl.len())
        .select(pl.lit(table).alias("table"), "door", EVENT_DATE, "rows")
        for table in present
    ]
    schema = {"table": pl.String, "door": pl.String, EVENT_DATE: pl.Date, "rows": pl.UInt32}
    return pl.concat([pl.DataFrame(schema=schema), *pl.collect_all(counts)])
