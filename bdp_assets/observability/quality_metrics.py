"""Metrics of the quality of tables. A run of Dagster ends, so they are a file for node exporter to read.

`*.prom` in a folder that its textfile collector watches (`--collector.textfile.directory`) is Prometheus' own
way for batch work.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from bdp_assets.observability.textfile import leave

FILE = "quality"


def gauges(registry: CollectorRegistry) -> tuple[Gauge, Gauge, Gauge]:
    """Score by table, failed by table and check, and when both were judged."""
    return (
        Gauge(
            "bdp_quality_score_ratio",
            "Quality of the table on the latest day that has one: sound share of the check that is worst off",
            ["table"],
            registry=registry,
        ),
        Gauge(
            "bdp_quality_check_failed_info",
            "1 where the check failed on the latest day on which it had something to judge, else 0",
            ["table", "check"],
            registry=registry,
        ),
        Gauge("bdp_quality_judged_seconds", "When quality was judged last (Unix time)", registry=registry),
    )


def write(
    folder: Path, *, scores: Mapping[str, float], failed: Mapping[tuple[str, str], bool], judged_s: float
) -> Path:
    """Replace the file of the last run at once; returns its path. Raises OSError.

    `scores`: in percent, by table; `failed`: by table and check; `judged_s`: Unix time.
    """
    registry = CollectorRegistry()
    score, check, judged = gauges(registry)
    for table, value in scores.items():
        score.labels(table).set(value / 100)
    for (table, name), has_failed in failed.items():
        check.labels(table, name).set(has_failed)
    judged.set(judged_s)
    return leave(folder, FILE, registry)
