"""Metrics of scored test rows: ranking, daily review list, calibration."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from bdp_assets.training.split import DAY_MS, TrainingError

CALIBRATION_EDGES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Of equal width at the top, of equal ratio where fraud is rare and most transactions are."""


def metrics(scored: pl.DataFrame) -> dict[str, float]:
    """Metrics of test rows with the columns customer_id, ts_ms, is_fraud (bool) and probability (float64).

    Raises:
        TrainingError: the rows hold no fraud or nothing but fraud.
    """
    fraud, probability = scored["is_fraud"].to_numpy(), scored["probability"].to_numpy()
    if fraud.all() or not fraud.any():
        raise TrainingError(
            f"the test window has {len(fraud)} transactions, {int(fraud.sum())} of them fraud: "
            "nothing to rank. Choose a later cut, or more test days."
        )
    return {
        "auc": float(roc_auc_score(fraud, probability)),
        "average_precision": float(average_precision_score(fraud, probability)),
        "card_precision_at_100": card_precision(scored, 100),
        "calibration_error": calibration_error(probability, fraud),
        "test_rows": float(len(fraud)),
        "test_frauds": float(fraud.sum()),
    }


def card_precision(scored: pl.DataFrame, top: int) -> float:
    """Mean over days of the share of defrauded customers among the day's `top` most suspicious ones.

    A customer's suspicion is the highest probability of the day; a customer once found is blocked afterwards.
    """
    found: set[str] = set()
    shares = []
    for day in suspects(scored).partition_by("day", maintain_order=True):
        listed = day.filter(~pl.col("customer_id").is_in(found)).head(top).filter("is_fraud")["customer_id"]
        found.update(listed)
        shares.append(len(listed) / top)
    return float(np.mean(shares))


def suspects(scored: pl.DataFrame) -> pl.DataFrame:
    """Each day's customers, the most suspicious first: day, customer_id, probability, is_fraud (any)."""
    return (
        scored.group_by((pl.col("ts_ms") // DAY_MS).alias("day"), "customer_id")
        .agg(pl.col("probability").max(), pl.col("is_fraud").any())
        .sort("day", "probability", "customer_id", descending=[False, True, False])
    )


def calibration_curve(probability: NDArray[np.float64], fraud: NDArray[np.bool_]) -> pl.DataFrame:
    """Bins by probability: predicted (mean), observed (fraud share), rows; bins without rows are left out."""
    number = np.searchsorted(CALIBRATION_EDGES, probability, side="right")
    rows = np.bincount(number, minlength=len(CALIBRATION_EDGES) + 1)
    some = rows > 0
    return pl.DataFrame(
        {
            "predicted": np.bincount(number, probability, len(rows))[some] / rows[some],
            "observed": np.bincount(number, fraud, len(rows))[some] / rows[some],
            "rows": rows[some],
        }
    )


def calibration_error(probability: NDArray[np.float64], fraud: NDArray[np.bool_]) -> float:
    """Expected calibration error: mean distance of predicted and observed fraud share, weighted by rows."""
    curve = calibration_curve(probability, fraud)
    gap = (curve["predicted"] - curve["observed"]).abs() * curve["rows"]
    return float(gap.sum() / len(fraud))
