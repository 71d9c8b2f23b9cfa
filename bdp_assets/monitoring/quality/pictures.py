"""Pictures of the quality of tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bdp_assets.monitoring.quality.findings import Score
from bdp_assets.monitoring.quality.hours import JudgedHours
from bdp_assets.observability.figures import FAINT, FRAUD, GOOD, INK, png

SHOWN_HOURS = 7 * 24
_LABELS = {
    "volume": "Rows an hour",
    "freshness": "Age of the newest row (s)",
    "duplicates": "Share of repeated transactions",
    "late_share": "Share of late transactions",
}


def scores_png(made: Sequence[Score]) -> bytes:
    """Score of each table and day; a day without anything to judge is left empty."""
    tables = sorted({score.table for score in made}, reverse=True)
    days = sorted({score.day for score in made})

    def draw(axes: Axes) -> None:
        for one in made:
            x, y = days.index(one.day), tables.index(one.table)
            if one.score is None:
                continue
            color = GOOD if one.worst is None else FRAUD
            axes.barh(y, 0.96 * one.score / 100, left=x, color=color, alpha=0.75, height=0.8)
            shown = f"{one.score:.4g}" + (f" {one.worst}" if one.worst else "")
            axes.text(x + 0.02, y, shown, va="center", fontsize=8, color=INK)
        axes.set_yticks(range(len(tables)), tables)
        axes.set_xticks([x + 0.5 for x in range(len(days))], [day.isoformat() for day in days])
        axes.set(xlim=(0, max(len(days), 1)), title="Quality score of each table and day")
        axes.grid(visible=False)

    return png(draw, (max(6.4, 2.2 * len(days)), 1.2 + 0.3 * len(tables)))


def hours_png(judged: JudgedHours) -> bytes:
    """The last week of hours, what is usual for them, and those outside."""
    hours = judged.hours.tail(SHOWN_HOURS)

    def draw(axes: Axes) -> None:
        time = hours["hour"].dt.replace_time_zone(None).to_numpy()
        low, high, value = (hours[name].cast(float).to_numpy() for name in ("low", "high", "value"))
        axes.fill_between(time, low, high, color=FAINT, alpha=0.5, lw=0, label="within the bounds")
        axes.plot(time, hours["usual"].cast(float).to_numpy(), color=FAINT, lw=1.2, label="usual")
        axes.plot(time, value, color=GOOD, lw=1.2, label="found")
        outside = np.flatnonzero(hours["outside"].to_numpy())
        axes.plot(time[outside], value[outside], "o", color=FRAUD, ms=4, label=f"outside ({len(outside)})")
        axes.set(ylabel=_LABELS[judged.check], title=f"{judged.table}: {judged.check}")
        axes.tick_params(axis="x", labelsize=7)
        axes.legend(loc="upper left", fontsize=7, ncols=4)

    return png(draw, (8.0, 3.0))
