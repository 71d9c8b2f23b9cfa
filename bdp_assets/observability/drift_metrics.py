"""Drift of the latest judged day, as a file: the run that judged it is over when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

FILE = "drift.prom"


def write(path: Path, day: date, psi: Mapping[str, float], drifted: Mapping[str, int]) -> None:
    """Replace the file in one step.

    `psi`: by quantity, over all transactions; `drifted`: comparisons that drifted, by kind.
    """
    registry = CollectorRegistry()
    judged = Gauge("bdp_drift_judged_day_seconds", "Start of the judged day (Unix time)", registry=registry)
    judged.set(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    index = Gauge(
        "bdp_drift_psi_ratio",
        "Population stability index against the model's own days, of all transactions",
        ["quantity"],
        registry=registry,
    )
    for quantity, value in psi.items():
        index.labels(quantity).set(value)
    found = Gauge(
        "bdp_drift_comparisons", "Quantities in segments that drifted, by kind", ["kind"], registry=registry
    )
    for kind, number in drifted.items():
        found.labels(kind).set(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)
