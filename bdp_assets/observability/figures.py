"""How our plots look, and how they become PNG."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FRAUD, GOOD, FAINT = "#22313f", "#c0392b", "#2e6f9e", "#b8c4ce"
STYLE: dict[Any, object] = {
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e8edf1",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def png(draw: Callable[[Axes], None], size: tuple[float, float] = (6.4, 4.2)) -> bytes:
    """What `draw` puts on the axes; `size` in inches."""
    with mpl.rc_context(STYLE):
        # A figure of its own, without pyplot: no global state, no display, safe in threads.
        figure = Figure(figsize=size, dpi=120, layout="constrained")
        draw(figure.subplots())
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
    return buffer.getvalue()
