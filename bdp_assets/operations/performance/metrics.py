"""The latest figures as metrics."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import polars as pl
from prometheus_client import CollectorRegistry

from bdp_assets.observability.performance_metrics import FILE, LABELS, gauges
from bdp_assets.observability.textfile import leave
from bdp_assets.operations.performance.measuring import Performance
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings


def publish(settings: Settings, found: Performance) -> Path:
    """Of each role one version: the one that serves here, or else the newest."""
    registry, serving = CollectorRegistry(), LocalBundles(settings.models_dir).active()
    shown = _one_of_each_role(found.figures, serving)
    made = gauges(registry)
    for column, gauge in made.figures.items():
        for *labels, value in shown.select(*LABELS, column).drop_nulls().iter_rows():
            gauge.labels(*labels).set(value)
    made.as_of.set(datetime.combine(found.window.as_of, time(), UTC).timestamp())
    verdicts = [float(one.is_decayed) for one in found.decays if one.model_version == serving]
    made.decayed.set(verdicts[0] if verdicts else float("nan"))
    return leave(settings.metrics_dir, FILE, registry)


def _one_of_each_role(figures: pl.DataFrame, serving: str | None) -> pl.DataFrame:
    age = pl.col("model_version").cast(pl.Int64, strict=False)
    ordered = figures.sort((pl.col("model_version") == (serving or "")), age, nulls_last=False)
    return ordered.unique(LABELS, keep="last", maintain_order=True).filter(
        pl.col("model_version") == pl.col("model_version").last().over("role")
    )
