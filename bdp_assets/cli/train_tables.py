"""How a trained model looks in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.table import Table

from bdp_assets.training.pipeline import TrainedModel

METRICS = {
    "average_precision": "average precision",
    "auc": "ROC AUC",
    "card_precision_at_100": "card precision at 100 a day",
    "calibration_error": "calibration error",
}
COUNTS = {"test_rows": "test transactions", "test_frauds": "frauds among them"}


def measured(trained: TrainedModel) -> Table:
    """The metrics of the test, and when it was."""
    split, metrics = trained.split, trained.metrics
    table = Table("metric", "value", title=f"Tested on {_days(split.test_start_ms, split.test_end_ms)}")
    for name, title in METRICS.items():
        table.add_row(title, f"{metrics[name]:.4f}")
    for name, title in COUNTS.items():
        table.add_row(title, f"{metrics[name]:,.0f}")
    table.add_row("trained on", _days(split.train_start_ms, split.train_end_ms))
    return table


def _days(start_ms: int, end_ms: int) -> str:
    first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (start_ms, end_ms - 1))
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
