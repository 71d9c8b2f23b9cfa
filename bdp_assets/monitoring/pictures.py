"""Pictures of what monitoring found."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from bdp_assets.decisions.policy import Policy
from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, INK, png

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


def scores_png(probabilities: pl.Series, policy: Policy) -> bytes:
    """How many transactions have which probability, and from where on they are not approved."""

    def draw(axes: Axes) -> None:
        axes.hist(probabilities.to_numpy(), bins=np.linspace(0, 1, 41).tolist(), color=GOOD)
        for name, threshold, style in (
            ("review", policy.review_at, ":"),
            ("decline", policy.decline_at, "--"),
        ):
            axes.axvline(threshold, color=INK, lw=1, ls=style, label=f"{name} from {threshold:.3f}")
        axes.set(xlim=(0, 1), xlabel="Fraud probability", ylabel="Transactions (log scale)")
        axes.set_yscale("log" if len(probabilities) else "linear")
        axes.set_title(f"Scores of {len(probabilities):,} transactions")
        axes.legend(loc="upper right")

    return png(draw)
