"""How long a quantity remembers: days that share a window's rows are not independent of each other."""

from __future__ import annotations

from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.spec import Catalog, WindowFeature
from bdp_assets.features.times import DAY, LONGEST_WINDOW
from bdp_assets.monitoring.drift.counting import FRAUD

WEEK_DAYS = 7
FRAUD_WAVE_DAYS = 42
"""Fraud comes in campaigns: what counts frauds stays high or low for weeks, however short its window is."""


def days_per_block(catalog: Catalog, quantities: list[str]) -> list[float]:
    """How many days in a row say as much as one independent day, of each quantity; at least 1."""
    memory = _memory_days(catalog) | {FRAUD: FRAUD_WAVE_DAYS}
    return [1 + memory.get(name, 0.0) / WEEK_DAYS for name in quantities]


def _memory_days(catalog: Catalog) -> dict[str, float]:
    """Of a formula the longest of its inputs, which stand above it in the catalog."""
    days: dict[str, float] = {}
    for feature in catalog.features:
        if isinstance(feature, WindowFeature):
            window = min(feature.window + feature.delay, LONGEST_WINDOW) / DAY
            days[feature.name] = max(window, FRAUD_WAVE_DAYS) if feature.filter == LABEL_FILTER else window
        else:
            days[feature.name] = max((days.get(name, 0.0) for name in feature.inputs), default=0.0)
    return days
