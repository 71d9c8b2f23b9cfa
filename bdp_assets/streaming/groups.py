"""Names of the consumer groups; a worker's slot within its group names its transactions."""

from __future__ import annotations

SCORING = "bdp-scoring"
LABELS = "bdp-labels"
ANALYTICS = "bdp-analytics"
