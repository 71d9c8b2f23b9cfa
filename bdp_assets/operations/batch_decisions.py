"""Decisions for history: what the API and the stream would have decided with today's model."""

from __future__ import annotations

from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import FEATURES, columns_of, records_of, to_frame
from bdp_assets.contracts.records import Prediction, ValidatedTransaction
from bdp_assets.decisions.decider import Decider
from bdp_assets.ingest.tables import IS_HISTORY, rows

DECIDED_BY = "batch"
CHUNK = 20_000


def decide_history(
    lake: Lake, decider: Decider, first: date, last: date, *, decided_at_ms: int
) -> pl.DataFrame:
    """Rows of the table `predictions` for the backfilled transactions of the days first..last.

    Only rows with features of the model's catalog version are decided; streamed ones have their decision.
    The features stay where they are, in `enriched`: a year of them twice would not fit into memory.
    """
    fits = pl.col("catalog_version") == decider.info.catalog_version
    enriched = rows(lake, "enriched", None, (first, last), IS_HISTORY & fits)
    chunks = [_decide(decider, chunk, decided_at_ms) for chunk in enriched.iter_slices(CHUNK)]
    return pl.concat(chunks or [to_frame([], Prediction, "ts_ms")])


def _decide(decider: Decider, chunk: pl.DataFrame, decided_at_ms: int) -> pl.DataFrame:
    transactions = records_of(chunk.select(list(columns_of(ValidatedTransaction))), ValidatedTransaction)
    predictions = decider.decide_many(
        transactions,
        chunk.select(decider.info.feature_names).to_numpy(),
        chunk["apply_seq"].to_list(),
        decided_by=DECIDED_BY,
        decided_at_ms=decided_at_ms,
    )
    return to_frame(predictions, Prediction, "ts_ms").with_columns(pl.lit("{}").alias(FEATURES))
