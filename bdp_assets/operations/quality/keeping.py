"""Where the findings are kept: the warehouse, by table, day and check, and a file of metrics."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from bdp_assets.clients.postgres import session, upsert
from bdp_assets.monitoring.quality.findings import as_frame, score_frame
from bdp_assets.observability import quality_metrics
from bdp_assets.operations.quality.examination import Examination
from bdp_assets.settings import Settings


def keep(settings: Settings, found: Examination, judged_at: datetime) -> Path:
    """Put the findings in the place of those of the same tables and days; returns the file of metrics.

    Raises WarehouseUnavailable, OSError.
    """
    kept = {
        "warehouse.quality_checks": (as_frame(found.findings), ["table_name", "day", "check_name"]),
        "warehouse.quality_scores": (score_frame(found.scores), ["table_name", "day"]),
    }
    with session(settings) as connection:
        for table, (frame, key) in kept.items():
            upsert(connection, table, frame.with_columns(judged_at=pl.lit(judged_at)), key)
    return quality_metrics.write(
        settings.metrics_dir,
        scores={score.table: score.score for score in found.scores if score.score is not None},
        failed={
            (finding.table, str(finding.check)): not finding.passed
            for finding in found.findings
            if finding.passed is not None
        },
        judged_s=judged_at.timestamp(),
    )
