"""Names of the consumer groups; a worker's slot within its group names its transactions."""

from __future__ import annotations

SCORING = "bdp-scoring"
LABELS = "bdp-labels"
ANALYTICS = "bdp-analytics"

METRICS_PORTS = {"scoring": 0, "labels": 100, "analytics": 200}
"""Kind of worker -> where the ports of its metrics begin, after `Settings.worker_metrics_port`."""
