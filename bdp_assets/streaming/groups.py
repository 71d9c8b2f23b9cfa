"""Names of the consumer groups; a worker's slot within its group names its transactions."""

from __future__ import annotations

from bdp_assets.settings import Settings

SCORING = "bdp-scoring"
LABELS = "bdp-labels"
ANALYTICS = "bdp-analytics"

METRICS_PORTS = {"scoring": 0, "labels": 100, "analytics": 200}
"""Kind of worker -> where the ports of its metrics begin, after `Settings.worker_metrics_port`."""


def metrics_port(settings: Settings, kind: str, slot: int) -> int:
    """Where the metrics of a worker are, where workers show any (`Settings.worker_metrics_port` is not 0)."""
    first = settings.worker_metrics_port + METRICS_PORTS[kind]
    return first + (slot if settings.stream_metrics_by_slot else 0)
