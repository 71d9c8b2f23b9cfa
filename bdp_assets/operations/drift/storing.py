"""Comparisons in the warehouse, and the latest day's as Prometheus text."""

from __future__ import annotations

import polars as pl

from bdp_assets.clients.postgres import session, upsert
from bdp_assets.monitoring.drift.segments import EVERYTHING
from bdp_assets.observability import drift_metrics
from bdp_assets.operations.drift.days import DriftOfDay
from bdp_assets.settings import Settings

TABLE = "warehouse.drift"
KEY = ("event_date", "model_version", "quantity", "segment")
_FORGET = """
    DELETE FROM warehouse.drift
    WHERE model_version = %s AND (event_date = %s AND kind <> 'label' OR event_date = %s AND kind = 'label')
"""


def store(settings: Settings, found: DriftOfDay) -> None:
    """A day again takes the place of what was found before. Raises WarehouseUnavailable."""
    rows = found.comparisons.with_columns(model_version=pl.lit(found.model_version))
    with session(settings) as connection:
        connection.execute(_FORGET, [found.model_version, found.day, found.label_day])
        upsert(connection, TABLE, rows, KEY)


def publish(settings: Settings, found: DriftOfDay) -> None:
    """Write the day's figures where a collector of text files reads them."""
    everything = found.comparisons.filter(pl.col("segment") == EVERYTHING)
    drift_metrics.write(
        settings.metrics_dir,
        found.day,
        dict(everything.select("quantity", "psi").iter_rows()),
        dict(found.comparisons.group_by("kind").agg(pl.col("drifted").sum()).iter_rows()),
    )
