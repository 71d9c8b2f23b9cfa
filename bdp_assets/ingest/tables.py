"""The event tables of the lake, by name: their columns, and reading one that may not be there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import columns
from bdp_assets.contracts.records import Alert, Door
from bdp_assets.features.catalog import CATALOG

DOOR = "door"
"""Which way a row came in: a backfilled day replaces its own rows, never streamed ones."""

IS_HISTORY = pl.col(DOOR) == Door.HISTORY.value

TABLES: Mapping[str, pl.Schema] = {
    "raw": columns.RAW,
    "validated": columns.VALIDATED,
    "quarantined": columns.QUARANTINED,
    "enriched": columns.enriched(CATALOG.names),
    "features": columns.features(CATALOG.names),
    "predictions": columns.PREDICTIONS,
    "alerts": pl.Schema({**columns.columns_of(Alert), columns.EVENT_DATE: pl.Date()}),
    "labels": pl.Schema({**columns.LABELS, DOOR: pl.String()}),
}


def rows(
    lake: Lake,
    table: str,
    wanted: Sequence[str] | None = None,
    dates: tuple[date, date] | None = None,
    filters: pl.Expr | None = None,
) -> pl.DataFrame:
    """Rows of a table as `Lake.read` gives them; none when nothing was ever written to it."""
    if lake.exists(table):
        return lake.read(table, wanted, dates, filters)
    empty = pl.DataFrame(schema=TABLES[table])
    return empty.select(wanted) if wanted else empty
