"""Plots of a model's test as PNG bytes."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from sklearn.metrics import average_precision_score, precision_recall_curve

from bdp_assets.decisions.policy_columns import DECLINE, REVIEW, Decisions
from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, INK, png
from bdp_assets.training.evaluate import calibration_curve


def plots(scored: pl.DataFrame, decided: Decisions) -> dict[str, bytes]:
    """File name -> PNG for test rows with the columns is_fraud and probability, and their decisions."""
    fraud, probability = scored["is_fraud"].to_numpy(), scored["probability"].to_numpy()
    return {
        "precision_recall.png": png(lambda axes: _precision_recall(axes, fraud, probability, decided)),
        "scores.png": png(lambda axes: _scores(axes, fraud, probability)),
        "calibration.png": png(lambda axes: _calibration(axes, fraud, probability)),
    }


def _precision_recall(axes: Axes, fraud: np.ndarray, probability: np.ndarray, decided: Decisions) -> None:
    precision, recall, _ = precision_recall_curve(fraud, probability)
    average = average_precision_score(fraud, probability)
    axes.step(recall, precision, where="post", color=GOOD, lw=1.8, label=f"this model, AP {average:.3f}")
    axes.axhline(fraud.mean(), color=FAINT, ls="--", lw=1.2, label=f"at random, {fraud.mean():.4f}")
    for name, least, marker in (("reviewed or declined", REVIEW, "o"), ("declined", DECLINE, "s")):
        chosen = decided >= least
        if chosen.any():
            axes.plot(
                fraud[chosen].sum() / fraud.sum(),
                fraud[chosen].mean(),
                marker,
                color=FRAUD,
                label=name,
            )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="Recall", ylabel="Precision", title="Precision and recall")
    axes.legend(loc="best")


def _scores(axes: Axes, fraud: np.ndarray, probability: np.ndarray) -> None:
    bins = np.linspace(0, 1, 41).tolist()
    for rows, color, label in ((probability[~fraud], GOOD, "good"), (probability[fraud], FRAUD, "fraud")):
        axes.hist(rows, bins=bins, color=color, alpha=0.65, label=f"{label} ({len(rows):,})")
    axes.set_yscale("log")
    axes.set(
        xlim=(0, 1),
        xlabel="Fraud probability",
        ylabel="Transactions (log scale)",
        title="Scores of the test window",
    )
    axes.legend(loc="upper center")


def _calibration(axes: Axes, fraud: np.ndarray, probability: np.ndarray) -> None:
    curve = calibration_curve(probability, fraud)
    # Both axes are logarithmic: bins without any fraud have no place on them.
    seen = curve.filter((pl.col("predicted") > 0) & (pl.col("observed") > 0))
    predicted, observed = seen["predicted"].to_numpy(), seen["observed"].to_numpy()
    low = min(predicted.min(initial=0.1), observed.min(initial=0.1)) / 2
    axes.plot([low, 1], [low, 1], color=FAINT, ls="--", lw=1.2, label="perfect")
    axes.plot(
        predicted, observed, "o-", color=GOOD, lw=1.5, ms=5, label="this model, with transactions a bin"
    )
    for x, y, rows in zip(predicted, observed, seen["rows"], strict=True):
        axes.annotate(f"{rows:,}", (x, y), (5, -9), textcoords="offset points", fontsize=7, color=INK)
    axes.set(xscale="log", yscale="log", xlabel="Predicted probability", ylabel="Observed fraud share")
    axes.set_title("Calibration")
    axes.legend(loc="upper left")
