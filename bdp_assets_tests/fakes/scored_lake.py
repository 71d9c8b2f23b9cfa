"""A lake with transactions that the tiny bundle can score, and labels of those that are fraud."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import TABLES
from bdp_assets_tests.fakes.tiny_bundle import tiny_rows

START = date(2026, 1, 1)
"""The midnight at which the tiny bundle says that it was trained."""


def scored_lake(folder: Path, *, days: int, a_day: int = 60, labels: bool = True) -> Lake:
    """`a_day` transactions on each of `days` days from START on, with labels known a day later."""
    matrix, fraud = tiny_rows(len(CATALOG.names), rows=days * a_day, seed=11)
    amounts = np.random.default_rng(3).integers(100, 40_000, len(fraud))
    rows = pl.DataFrame(
        {
            "transaction_id": [f"t{number}" for number in range(len(fraud))],
            "customer_id": [f"c{number % 40}" for number in range(len(fraud))],
            "amount_base_minor": amounts,
            **dict(zip(CATALOG.names, matrix.T, strict=True)),
            "catalog_version": CATALOG.version,
            EVENT_DATE: [START + timedelta(days=number // a_day) for number in range(len(fraud))],
        }
    )
    lake = Lake(str(folder))
    append(lake, "enriched", rows)
    if labels:
        append(lake, "labels", _labels(rows.filter(pl.Series(fraud))))
    return lake


def append(lake: Lake, table: str, rows: pl.DataFrame) -> None:
    """Rows with some of a table's columns; the others are null."""
    whole = pl.concat([pl.DataFrame(schema=TABLES[table]), rows], how="diagonal_relaxed")
    lake.append(table, whole.cast(dict(TABLES[table])))  # type: ignore[arg-type]


def _labels(rows: pl.DataFrame) -> pl.DataFrame:
    known = [
        datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) for day in rows[EVENT_DATE]
    ]
    return rows.select(
        "transaction_id",
        "customer_id",
        pl.lit(value=True).alias("is_fraud"),
        pl.Series("known_at_ms", [int(time.timestamp() * 1000) for time in known]),
        pl.Series(EVENT_DATE, [time.date() for time in known]),
    )
