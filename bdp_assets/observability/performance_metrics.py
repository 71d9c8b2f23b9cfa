"""Metrics of how models do, left as a file by the run that judged them. Labels are never a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge

FILE = "model_performance"
LABELS = ("role", "segment", "member")
_FIGURES: Mapping[str, tuple[str, str]] = {
    "transactions": ("bdp_performance_matured_transactions", "Transactions whose labels are due"),
    "frauds": ("bdp_performance_matured_frauds", "Of the matured transactions, known frauds"),
    "average_precision": ("bdp_performance_average_precision_ratio", "Average precision"),
    "precision": ("bdp_performance_precision_ratio", "Frauds of what was reviewed or declined"),
    "recall": ("bdp_performance_recall_ratio", "Of the frauds, reviewed or declined"),
    "false_positive_rate": (
        "bdp_performance_false_positive_ratio",
        "Of the good transactions, reviewed or declined",
    ),
    "card_precision": (
        "bdp_performance_card_precision_ratio",
        "Defrauded customers of those that reviewers have time for",
    ),
    "brier": ("bdp_performance_brier_ratio", "Brier score of the probabilities"),
    "calibration_error": ("bdp_performance_calibration_error_ratio", "Expected calibration error"),
    "saved_minor": ("bdp_performance_saved_minor", "Amounts of frauds reviewed or declined"),
    "lost_minor": ("bdp_performance_lost_minor", "Amounts of frauds approved"),
    "spent_minor": ("bdp_performance_spent_minor", "Cost of reviews and of false declines"),
}


class Gauges(NamedTuple):
    """`figures`: by column of the figures' table."""

    figures: Mapping[str, Gauge]
    as_of: Gauge
    decayed: Gauge

    @property
    def all(self) -> tuple[Gauge, ...]:
        return (*self.figures.values(), self.as_of, self.decayed)


def gauges(registry: CollectorRegistry) -> Gauges:
    return Gauges(
        {column: Gauge(name, says, LABELS, registry=registry) for column, (name, says) in _FIGURES.items()},
        Gauge("bdp_performance_as_of_seconds", "Midnight of the figures (Unix time)", registry=registry),
        Gauge(
            "bdp_performance_decayed_info",
            "1: the model that serves has decayed; NaN: not judged",
            registry=registry,
        ),
    )
