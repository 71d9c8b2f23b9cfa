"""Plots of a model's test as PNG bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from sklearn.metrics import average_precision_score, precision_recall_curve

from bdp_assets.decisions.policy import Costs, Policy
from bdp_assets.decisions.policy_columns import DECLINE, REVIEW, Decisions, decide_all
from bdp_assets.decisions.tuning import costs_of
from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, INK, png
from bdp_assets.training.cost_curve import cost_curve
from bdp_assets.training.evaluate import calibration_curve
from bdp_assets.training.outcomes import Outcomes

SHOWN_FEATURES = 20
_NOTE: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 7, "color": INK}


def plots(rows: Outcomes, policy: Policy, importances: pl.DataFrame) -> dict[str, bytes]:
    """File name -> PNG for scored test rows, the policy that decides them, and the model's importances."""
    fraud, probability = rows.fraud, rows.probability
    decided = decide_all(policy, probability, rows.amounts)
    tall = (6.4, 1.2 + 0.22 * SHOWN_FEATURES)
    return {
        "precision_recall.png": png(lambda axes: _precision_recall(axes, fraud, probability, decided)),
        "scores.png": png(lambda axes: _scores(axes, fraud, probability)),
        "calibration.png": png(lambda axes: _calibration(axes, fraud, probability)),
        "cost.png": png(lambda axes: _cost(axes, rows, decided, costs_of(policy))),
        "importances.png": png(lambda axes: _importances(axes, importances.head(SHOWN_FEATURES)), tall),
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
    # In turn below, above and further below: the bins near 1 are close together.
    for number, (x, y, rows) in enumerate(zip(predicted, observed, seen["rows"], strict=True)):
        place = ((0, -14), (0, 7), (0, -24))[number % 3]
        axes.annotate(f"{rows:,}", (x, y), place, **_NOTE)
    axes.set(xscale="log", yscale="log", xlabel="Predicted probability", ylabel="Observed fraud share")
    axes.set_title("Calibration")
    axes.legend(loc="upper left")


def _cost(axes: Axes, rows: Outcomes, decided: Decisions, costs: Costs) -> None:
    """Each curve is faint where reviewers have no time for it: nobody can have that cost."""
    curve, most = cost_curve(rows, costs), costs.reviews_per_day
    low = max(float(curve.thresholds.min()), 1e-4)
    shown = curve.thresholds >= low
    x, declining, reviewing = (
        values[shown] for values in (curve.thresholds, curve.declining / 100, curve.reviewing / 100)
    )
    manned = curve.flagged_a_day[shown] <= most
    axes.step(x, declining, where="pre", color=FRAUD, lw=1.5, label="decline all from the threshold on")
    axes.step(x, reviewing, where="pre", color=FAINT, lw=1.2, label=f"review them: more than {most:,} a day")
    axes.step(x[manned], reviewing[manned], where="pre", color=GOOD, lw=1.8, label="review them")
    axes.axhline(declining[-1], color=FAINT, ls=":", lw=1.2, label="approve everything")
    own = rows.cost_a_day(decided, costs) / 100
    axes.axhline(own, color=INK, ls="--", lw=1.5, label=f"this model's policy, {own:,.2f}")
    axes.set(xscale="log", xlim=(low, 1), ylim=(0, 1.6 * max(float(declining[-1]), own, 0.01)))
    axes.set(xlabel="Threshold (fraud probability, log scale)", ylabel="Realised cost a day")
    axes.set_title("Cost of thresholds, and of the policy")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="upper right", fontsize=8)


def _importances(axes: Axes, importances: pl.DataFrame) -> None:
    place = np.arange(len(importances))[::-1]
    for shift, name, color in ((0.2, "frauds", FRAUD), (-0.2, "good", GOOD)):
        widths = importances[name].to_numpy()
        axes.barh(place + shift, widths, height=0.38, color=color, label=f"in {name}")
    axes.set_yticks(place, importances["feature"].to_list(), fontsize=8)
    axes.set(xlabel="Mean absolute contribution to the random forest's probability")
    axes.set_title(f"Importances: the first {len(importances)} features")
    axes.margins(y=0.01)
    axes.legend(loc="lower right")
