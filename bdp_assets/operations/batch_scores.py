"""Scores of the lake's features: every row of the days asked, a day in memory at a time."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.scores import scored
from bdp_assets.ingest.tables import TABLES, rows


def score_days(lake: Lake, decider: Decider, first: date, last: date) -> pl.DataFrame:
    """Rows of the table `scores` for those of the table `features` of the days first..last.

    Only rows with features of the model's catalog version are scored.
    """
    fits = pl.col("catalog_version") == decider.info.catalog_version
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    scores = [scored(decider, rows(lake, "features", None, (day, day), fits)) for day in days]
    return pl.concat([one.select(TABLES["scores"].names()) for one in scores])
