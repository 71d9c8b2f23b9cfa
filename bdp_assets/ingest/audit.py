"""Write, audit, publish: what a frame must be before it becomes part of a table of the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from bdp_assets.contracts import columns
from bdp_assets.contracts.records import Alert, Door
from bdp_assets.ingest.tables import DOOR, SOURCE_COLUMNS, TABLES

if TYPE_CHECKING:
    import pandera.polars as pa


def audit(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """What keeps the frame from being rows of the table, one row a fault (`contracts.frames.FAILURES`).

    Pandera loads pandas (2 s): on first use only.
    """
    from bdp_assets.contracts.frames import failures

    # Columns that are the lake's alone: the records know nothing of them.
    ours = {"labels": (DOOR,), "validated": SOURCE_COLUMNS}.get(table, ())
    parts = [frame.drop(ours, strict=False)]
    if table == "enriched" and frame["catalog_version"].n_unique() > 1:
        parts = [_without_empty_features(part) for part in frame.partition_by("catalog_version")]
    return pl.concat([failures(_model(table, part), part) for part in parts])


def _without_empty_features(frame: pl.DataFrame) -> pl.DataFrame:
    """While a catalog changes, rows of both versions land together, each without the other's features."""
    base = columns.enriched(())
    return frame.select(
        name for name in frame.columns if name in base or frame[name].null_count() < len(frame)
    )


def _model(table: str, frame: pl.DataFrame) -> pa.DataFrameSchema:
    from bdp_assets.contracts import frames

    match table:
        case "raw":
            return _raw_model()
        case "enriched":
            return frames.enriched_frame([name for name in frame.columns if name not in columns.enriched(())])
        case "features":
            return frames.features_frame([name for name in frame.columns if name not in columns.features(())])
        case "alerts":
            # An alert has a row for each transaction that made it grow, and a retired id may come again.
            once = ["customer_id", "transaction_id", "alert_id", "revision"]
            return frames.lake_model(Alert, TABLES[table], time_ms="ts_ms", unique=once)
    models = {
        "validated": frames.ValidatedFrame,
        "quarantined": frames.QuarantinedFrame,
        "predictions": frames.PredictionFrame,
        "scores": frames.ScoreFrame,
        "shadow_scores": frames.ShadowScoreFrame,
        "labels": frames.LabelFrame,
        "adjustments": frames.AdjustmentFrame,
    }
    return models[table]


def _raw_model() -> pa.DataFrameSchema:
    """Nothing is said of the value: what the contract thinks of it is for validation to find."""
    import pandera.polars as pa

    required = {"received_ms", "door", columns.EVENT_DATE}
    made = {name: pa.Column(dtype, nullable=name not in required) for name, dtype in columns.RAW.items()}
    made["door"] = pa.Column(pl.String(), pa.Check.isin([door.value for door in Door]))
    return pa.DataFrameSchema(made, strict=True)
