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

SOURCE_COLUMNS = ("source_topic_id", "source_partition", "source_offset")
"""Of a validated row: the raw message that it came from. Null in rows that came from a file."""
_SOURCE = {"source_topic_id": pl.String(), "source_partition": pl.Int64(), "source_offset": pl.Int64()}

IS_HISTORY = pl.col(DOOR) == Door.HISTORY.value


CORRECTIONS = pl.Schema(
    {
        "action": pl.String(),
        "act_id": pl.String(),
        "acted_ms": pl.Int64(),
        "acted_by": pl.String(),
        "source_offset": pl.Int64(),
        "error": pl.String(),
        "field": pl.String(),
        "value_base64": pl.String(),
        "copy": pl.Int64(),
        "value": pl.String(),
        "customer_id": pl.String(),
        "transaction_id": pl.String(),
        "ts_ms": pl.Int64(),
        columns.EVENT_DATE: pl.Date(),
    }
)
"""What people made of quarantined rows, see `corrections`. Event date, offset, error, field and value_base64
are the quarantined row's; value, ids and ts_ms those of the transaction that it was corrected to."""


def _validated() -> pl.Schema:
    record = {name: dtype for name, dtype in columns.VALIDATED.items() if name != columns.EVENT_DATE}
    return pl.Schema({**record, **_SOURCE, columns.EVENT_DATE: pl.Date()})


TABLES: Mapping[str, pl.Schema] = {
    "raw": columns.RAW,
    "validated": _validated(),
    "quarantined": columns.QUARANTINED,
    "corrections": CORRECTIONS,
    "enriched": columns.enriched(CATALOG.names),
    "features": columns.features(CATALOG.names),
    "predictions": columns.PREDICTIONS,
    "scores": columns.SCORES,
    "shadow_scores": columns.SHADOW_SCORES,
    "alerts": pl.Schema({**columns.columns_of(Alert), columns.EVENT_DATE: pl.Date()}),
    "adjustments": columns.ADJUSTMENTS,
    "labels": pl.Schema({**columns.LABELS, DOOR: pl.String()}),
}


def from_no_topic(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of `validated` that came from a file."""
    sources = [pl.lit(None, dtype).alias(name) for name, dtype in _SOURCE.items()]
    return frame.with_columns(sources).select(TABLES["validated"].names())


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
