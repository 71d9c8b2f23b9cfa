"""Pictures of what monitoring found."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes

from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, png

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
