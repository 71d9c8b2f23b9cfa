"""The model card: what a person should know before relying on a model, as Markdown for its registry page."""

from __future__ import annotations

from datetime import UTC, datetime

from bdp_assets.training.pipeline import TrainedModel


def model_card(trained: TrainedModel) -> str:
    training, metrics, policy = trained.bundle.manifest.training, trained.metrics, trained.policy
    members = ", ".join(f"{member.name} x {member.weight:g}" for member in trained.bundle.manifest.members)
    return f"""\
Fraud probability of a card transaction from {len(training.feature_names)} point-in-time features.

| | |
|---|---|
| Members | {members}; blended, then calibrated on held-out days |
| Trained on | {_days(trained.split.train_start_ms, trained.split.train_end_ms)} |
| Tested on | {_days(trained.split.test_start_ms, trained.split.test_end_ms)}: \
{metrics["test_rows"]:,.0f} transactions, {metrics["test_frauds"]:,.0f} frauds |
| Feature catalog | `{training.catalog_version}` |
| Data snapshot | `{training.snapshot_version or "none"}` |
| Code | `{training.git_sha or "none"}` |

| Metric | Value |
|---|---|
| Average precision | {metrics["average_precision"]:.3f} |
| ROC AUC | {metrics["auc"]:.3f} |
| Card precision at 100 a day | {metrics["card_precision_at_100"]:.3f} |
| Calibration error | {metrics["calibration_error"]:.4f} |

Policy `{policy.version}`: {policy.says}.

The test is later than the training by the time that labels take to arrive, and leaves out customers already
known to be defrauded. Only labels known at the time were used. Fraud that nobody reports counts as good.
"""


def _days(start_ms: int, end_ms: int) -> str:
    first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (start_ms, end_ms - 1))
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d} (UTC)"
