"""Pictures of what monitoring found."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from bdp_assets.contracts.records import Decision
from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, png

_DECIDED = {Decision.APPROVE: GOOD, Decision.REVIEW: FAINT, Decision.DECLINE: FRAUD}
_COLORS = {"equal": FAINT, "late": GOOD, "unexplained": FRAUD}


def skew_png(features: pl.DataFrame) -> bytes:
    """Each feature's values, equal, late and unexplained, as `skew.Skew.features` counts them."""

    def draw(axes: Axes) -> None:
        names, left = features["feature"].to_list()[::-1], [0] * len(features)
        for kind, color in _COLORS.items():
            widths = features[kind].to_list()[::-1]
            axes.barh(names, widths, left=left, color=color, label=f"{kind} ({sum(widths):,})", height=0.75)
            left = [a + b for a, b in zip(left, widths, strict=True)]
        axes.set(xlabel="Values compared", title="As served against as corrected")
        axes.tick_params(axis="y", labelsize=7)
        axes.margins(y=0.01)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3)

    return png(draw, (7.2, 1.2 + 0.16 * len(features)))


def scores_png(scores: pl.DataFrame) -> bytes:
    """How many transactions have which probability, and what was decided (rows of the table `scores`)."""

    def draw(axes: Axes) -> None:
        parts = [scores.filter(decision=one)["fraud_probability"].to_numpy() for one in _DECIDED]
        labels = [f"{one} ({len(part):,})" for one, part in zip(_DECIDED, parts, strict=True)]
        bins = np.linspace(0, 1, 41).tolist()
        axes.hist(parts, bins=bins, stacked=True, color=list(_DECIDED.values()), label=labels)
        axes.set(xlim=(0, 1), xlabel="Fraud probability", ylabel="Transactions (log scale)")
        axes.set_yscale("log" if len(scores) else "linear")
        axes.set_title(f"Scores of {len(scores):,} transactions")
        axes.legend(loc="upper center")

    return png(draw)


def shadow_png(scores: pl.DataFrame) -> bytes:
    """How far the challenger's scores are from the champion's (rows of the table `shadow_scores`)."""

    def draw(axes: Axes) -> None:
        changed = (scores["champion_decision"] != scores["challenger_decision"]).to_numpy()
        apart = (scores["challenger_score"] - scores["champion_score"]).to_numpy()
        parts, bins = [apart[~changed], apart[changed]], np.linspace(-1, 1, 81).tolist()
        labels = [f"the same decision ({len(parts[0]):,})", f"another decision ({len(parts[1]):,})"]
        axes.hist(parts, bins=bins, stacked=True, color=[GOOD, FRAUD], label=labels)
        axes.axvline(0, color=FAINT, lw=1.2)
        axes.set(xlim=(-1, 1), xlabel="Challenger's score less the champion's")
        axes.set_ylabel("Transactions (log scale)")
        axes.set_yscale("log" if len(scores) else "linear")
        axes.set_title(f"Scores of {len(scores):,} live transactions")
        axes.legend(loc="upper left", fontsize=8)

    return png(draw)
