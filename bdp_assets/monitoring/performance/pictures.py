"""Pictures of matured performance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from matplotlib.axes import Axes

from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, INK, png

_COLORS = (GOOD, FRAUD, INK, FAINT)


def reliability_png(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> bytes:
    """Name of a model -> its bins (predicted, observed, rows)."""

    def draw(axes: Axes) -> None:
        axes.plot([1e-4, 1], [1e-4, 1], color=FAINT, ls="--", lw=1.2, label="perfect")
        for number, (name, bins) in enumerate(curves.items()):
            # Both axes are logarithmic: bins without any fraud have no place on them.
            seen = [one for one in bins if one["predicted"] > 0 and one["observed"] > 0]
            x, y = ([one[side] for one in seen] for side in ("predicted", "observed"))
            axes.plot(x, y, "o-", color=_COLORS[number % len(_COLORS)], lw=1.5, ms=5, label=name)
        axes.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-4, 1))
        axes.set(xlabel="Predicted probability", ylabel="Observed fraud share")
        axes.set_title("Reliability on matured transactions")
        axes.legend(loc="upper left", fontsize=8)

    return png(draw)


def segments_png(figures: pl.DataFrame) -> bytes:
    """Precision and recall of one model in each segment: rows with segment, member, precision, recall."""
    names = [f"{segment}: {member}" for segment, member in figures.select("segment", "member").iter_rows()]

    def draw(axes: Axes) -> None:
        place = range(len(figures), 0, -1)
        for shift, name, color in ((0.2, "precision", GOOD), (-0.2, "recall", FRAUD)):
            widths = figures[name].fill_null(0.0).to_list()
            axes.barh([one + shift for one in place], widths, height=0.38, color=color, label=name)
        axes.set_yticks(list(place), names, fontsize=8)
        axes.set(xlim=(0, 1), xlabel="Share", title="What was flagged")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)

    return png(draw, (6.4, 1.4 + 0.3 * len(figures)))
