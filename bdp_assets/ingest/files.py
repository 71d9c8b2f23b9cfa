"""Days of the history file as rows of the lake's tables."""

from __future__ import annotations

from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import event_date
from bdp_assets.contracts.records import Door
from bdp_assets.ingest import corrections, history
from bdp_assets.ingest.masking import masked
from bdp_assets.ingest.source import HistorySource
from bdp_assets.ingest.tables import DOOR, IS_HISTORY, TABLES, rows
from bdp_assets.settings import Settings


def source_of(settings: Settings) -> HistorySource | None:
    """The file that the settings name, or the simulator's if it made one; None: there is no file."""
    source = HistorySource.from_settings(settings)
    return source if settings.has_own_history or source.file.exists() else None


def raw_rows(
    source: HistorySource | None, lake: Lake, first: date, last: date, *, pan_key: bytes
) -> pl.DataFrame:
    """Rows of the table `raw`: those of the file (without one, what an earlier one left), then those that
    were released from quarantine, so that of two with one id the file's stays. Raises MappingError.

    Card numbers are masked, as in rows that come by the live door.
    """
    if source is None:
        of_a_file = IS_HISTORY & pl.col("topic").ne_missing(corrections.CORRECTED)
        found = rows(lake, "raw", None, (first, last), of_a_file)
    else:
        found = history.raw_rows(source, first, last)
    return pl.concat([masked(found, pan_key), corrections.raw_rows(lake, first, last)], how="diagonal")


def label_rows(source: HistorySource | None, lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Rows of the table `labels`, as `raw_rows`."""
    if source is None:
        return rows(lake, "labels", None, (first, last), IS_HISTORY)
    labels = history.labels(source, first, last).with_columns(
        pl.lit(Door.HISTORY.value).alias(DOOR), event_date("known_at_ms")
    )
    return labels.select(TABLES["labels"].names())
