"""Drift of the latest judged day, as a file: the run that judged it is over when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from bdp_assets.observability.textfile import leave

FILE = "drift"


def gauges(registry: CollectorRegistry) -> tuple[Gauge, Gauge, Gauge]:
    """The judged day, the index by quantity, and how many comparisons drifted by kind."""
    return (
        Gauge("bdp_drift_judged_day_seconds", "Start of the judged day (Unix time)", registry=registry),
        Gauge(
            "bdp_drift_psi_ratio",
            "Population stability index against the model's own days, of all transactions",
            ["quantity"],
            registry=registry,
        ),
        Gauge(
            "bdp_drift_found_comparisons",
            "Quantities in segments that drifted, by kind",
            ["kind"],
            registry=registry,
        ),
    )


def write(folder: Path, day: date, psi: Mapping[str, float], drifted: Mapping[str, int]) -> Path:
    """Replace the file in one step; returns its path.

    `psi`: by quantity, over all transactions; `drifted`: comparisons that drifted, by kind.
    """
    registry = CollectorRegistry()
    judged, index, found = gauges(registry)
    judged.set(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    for quantity, value in psi.items():
        index.labels(quantity).set(value)
    for kind, number in drifted.items():
        found.labels(kind).set(number)
    return leave(folder, FILE, registry)
