"""Pictures of figures as SVG text, to stand inside a page."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.bench import Plot
from benchmarks.goals import figure

OURS, OTHERS, MISSED, INK = "#2e6f9e", "#b8c4ce", "#c0392b", "#22313f"
_STYLE: dict[Any, object] = {
    "font.size": 9,
    "axes.edgecolor": OTHERS,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "bdp",  # Equal figures give equal files.
}
_METADATA = (
    "Date",
    "Creator",
    "Format",
    "Type",
)  # Left out: they say nothing, and differ by day and version.


def picture(plot: Plot, report: dict[str, Any]) -> str:
    """One bar for each figure; ours stand out."""
    values = {label: figure(report, path) / plot.unit for label, path in plot.figures.items()}
    colours = [OURS if path.startswith("ours.") else OTHERS for path in plot.figures.values()]

    def draw(axes: Axes) -> None:
        _bars(axes, values, colours)
        axes.set(title=plot.title, xlabel=plot.axis, xscale="log" if plot.logarithmic else "linear")

    return _svg(draw)


def goals_picture(report: dict[str, Any]) -> str:
    """Each figure in multiples of its bound: below 1 is met, whichever way the goal points."""
    used = {path: _used(figure(report, path), goal) for path, goal in report["goals"].items()}
    colours = [OURS if goal["met"] else MISSED for goal in report["goals"].values()]

    def draw(axes: Axes) -> None:
        _bars(axes, used, colours)
        axes.axvline(1, color=INK, lw=1, ls="--")
        axes.set(title="Goals", xlabel="share of the bound: 1 just meets it, less is better")

    return _svg(draw)


def _used(value: float, goal: dict[str, Any]) -> float:
    return float(value / goal["max"] if "max" in goal else goal["min"] / value)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"


def _bars(axes: Axes, values: dict[str, float], colours: list[str]) -> None:
    bars = axes.barh(list(values), list(values.values()), color=colours)
    axes.bar_label(bars, [f" {_short(value)}" for value in values.values()], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)


def _svg(draw: Callable[[Axes], None]) -> str:
    with mpl.rc_context(_STYLE):
        # A figure of its own, without pyplot: no global state, no display.
        drawn = Figure(figsize=(4.8, 2.3), layout="constrained")
        draw(drawn.subplots())
        text = StringIO()
        drawn.savefig(text, format="svg", metadata=dict.fromkeys(_METADATA))
    whole = text.getvalue()
    return whole[whole.index("<svg") :]
