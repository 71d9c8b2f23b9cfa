"""Pictures of a day's comparisons (`judgement.COLUMNS`)."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from bdp_assets.monitoring.drift import bounds
from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, png

SHOWN = 25
SMALLEST_P = 1e-12


def psi_png(comparisons: pl.DataFrame) -> bytes:
    """The quantities that are furthest away, in the segment where they are; drifted ones in red."""
    features = comparisons.filter(pl.col("kind") != "label").sort("drifted", "psi", descending=True)
    shown = features.unique("quantity", keep="first", maintain_order=True).head(SHOWN)[::-1]

    def draw(axes: Axes) -> None:
        names = [
            f"{quantity} ({segment})" for quantity, segment in shown.select("quantity", "segment").iter_rows()
        ]
        colors = [FRAUD if drifted else GOOD for drifted in shown["drifted"]]
        axes.barh(names, shown["psi"].to_list(), color=colors, height=0.75)
        axes.axvline(bounds.LEAST_PSI, color=FAINT, lw=1.5)
        axes.set(
            xlabel="Population stability index; the line is the bound", title="Against the model's own days"
        )
        axes.tick_params(axis="y", labelsize=7)
        axes.margins(y=0.01)

    return png(draw, (7.2, 1.4 + 0.18 * len(shown)))


def bounds_png(comparisons: pl.DataFrame) -> bytes:
    """Every comparison of features and scores by size and by chance: what is beyond both lines drifted."""
    shown = comparisons.filter(pl.col("kind") != "label")

    def draw(axes: Axes) -> None:
        for drifted, color, label in ((False, GOOD, "as usual"), (True, FRAUD, "drifted")):
            part = shown.filter(pl.col("drifted") == drifted)
            chance = -np.log10(np.maximum(part["adjusted_p"].to_numpy(), SMALLEST_P))
            axes.scatter(
                part["psi"].to_list(), chance.tolist(), s=12, color=color, label=f"{label} ({len(part)})"
            )
        axes.axvline(bounds.LEAST_PSI, color=FAINT, lw=1.2)
        axes.axhline(-np.log10(bounds.FALSE_DISCOVERY_RATE), color=FAINT, lw=1.2)
        axes.set(xlabel="Size: population stability index", ylabel="Chance: -log10 of the adjusted p value")
        axes.set(title=f"{len(shown):,} comparisons of a day")
        axes.legend()

    return png(draw)
