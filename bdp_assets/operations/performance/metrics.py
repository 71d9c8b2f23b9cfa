"""The latest figures as metrics. Labels are declared segments and roles, never a version."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import polars as pl
from prometheus_client import CollectorRegistry, Gauge

from bdp_assets.observability.textfile import leave
from bdp_assets.operations.performance.measuring import Performance
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings

FILE = "model_performance"
LABELS = ("role", "segment", "member")
GAUGES = {
    "transactions": ("matured_transactions", "Transactions whose labels are due"),
    "frauds": ("matured_frauds", "Of these, known frauds"),
    "average_precision": ("average_precision_ratio", "Average precision"),
    "precision": ("precision_ratio", "Frauds of what was reviewed or declined"),
    "recall": ("recall_ratio", "Of the frauds, reviewed or declined"),
    "false_positive_rate": ("false_positive_ratio", "Of the good transactions, reviewed or declined"),
    "card_precision": ("card_precision_ratio", "Defrauded customers of those that reviewers have time for"),
    "brier": ("brier_ratio", "Brier score"),
    "calibration_error": ("calibration_error_ratio", "Expected calibration error"),
    "saved_minor": ("saved_minor", "Amounts of frauds reviewed or declined, minor units"),
    "lost_minor": ("lost_minor", "Amounts of frauds approved, minor units"),
    "spent_minor": ("spent_minor", "Cost of reviews and false declines, minor units"),
}
"""Column of the figures -> name after `bdp_performance_`, and what it is."""


def publish(settings: Settings, found: Performance) -> Path:
    """Of each role one version: the one that serves here, or else the newest."""
    registry, serving = CollectorRegistry(), LocalBundles(settings.models_dir).active()
    shown = _one_of_each_role(found.figures, serving)
    for column, (name, says) in GAUGES.items():
        gauge = Gauge(f"bdp_performance_{name}", says, LABELS, registry=registry)
        for *labels, value in shown.select(*LABELS, column).drop_nulls().iter_rows():
            gauge.labels(*labels).set(value)
    as_of = Gauge("bdp_performance_as_of_seconds", "Midnight of the figures (Unix time)", registry=registry)
    as_of.set(datetime.combine(found.window.as_of, time(), UTC).timestamp())
    decayed = Gauge(
        "bdp_performance_decayed_info",
        "1: the model that serves has decayed; NaN: not judged",
        registry=registry,
    )
    verdicts = [float(one.is_decayed) for one in found.decays if one.model_version == serving]
    decayed.set(verdicts[0] if verdicts else float("nan"))
    return leave(settings.metrics_dir, FILE, registry)


def _one_of_each_role(figures: pl.DataFrame, serving: str | None) -> pl.DataFrame:
    age = pl.col("model_version").cast(pl.Int64, strict=False)
    ordered = figures.sort((pl.col("model_version") == (serving or "")), age, nulls_last=False)
    return ordered.unique(LABELS, keep="last", maintain_order=True).filter(
        pl.col("model_version") == pl.col("model_version").last().over("role")
    )
