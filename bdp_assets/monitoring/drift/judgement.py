"""The verdict on a day: what differs by more than chance, and by enough to matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from scipy import stats

from bdp_assets.monitoring.drift import bounds
from bdp_assets.monitoring.drift.bins import MISSING, Floats, Ints
from bdp_assets.monitoring.drift.counting import FRAUD, SCORE
from bdp_assets.monitoring.drift.distance import kolmogorov_smirnov, psi, shares
from bdp_assets.monitoring.drift.reference import Reference, ReferenceUnusable
from bdp_assets.monitoring.drift.segments import SEGMENTS
from bdp_assets.monitoring.drift.spread import Spread, nearest

KINDS = {SCORE: "score", FRAUD: "label"}
COLUMNS = {
    "kind": pl.String,
    "quantity": pl.String,
    "segment": pl.String,
    "rows": pl.Int64,
    "psi": pl.Float64,
    "ks": pl.Float64,
    "js_distance": pl.Float64,
    "fraud_ratio": pl.Float64,
    "missing": pl.Float64,
    "p_value": pl.Float64,
    "adjusted_p": pl.Float64,
    "drifted": pl.Boolean,
}
"""Of a comparison: `missing` is the share of rows without a value; `fraud_ratio`, of labels alone, the day's
share of frauds over that of training days; `adjusted_p` is Benjamini-Hochberg's."""


@dataclass(frozen=True)
class Judge:
    """A reference, ready to judge any number of days."""

    reference: Reference
    spread: Spread

    @classmethod
    def of(cls, reference: Reference) -> Judge:
        """Raises ReferenceUnusable: the model has too few days."""
        if len(reference.days) < bounds.LEAST_DAYS:
            raise ReferenceUnusable(
                f"the model was made of {len(reference.days)} days; {bounds.LEAST_DAYS} are needed to tell "
                "drift from how days differ: train with more days"
            )
        return cls(reference, Spread.of(reference))

    def judge(self, day: date, counts: Ints) -> pl.DataFrame:
        """All comparisons of a day (COLUMNS), what drifted most first.

        `counts` [quantities, segments, BINS] as `Reference.count` gives them. What has too few rows, or too
        few training days that had enough, is left out.
        """
        reference, rows = self.reference, counts.sum(axis=-1)
        found = nearest(day, counts, reference)
        asked = (rows >= bounds.LEAST_ROWS) & (self.spread.days >= bounds.LEAST_DAYS)
        used = ((counts + found.counts) > 0).sum(axis=-1)
        names, segments = np.nonzero(asked)
        chances = self.spread.p_values(found.divergence, counts, used)[asked]
        ours, theirs = counts[asked], found.counts[asked]
        quantities = [reference.quantities[at] for at in names]
        frame = pl.DataFrame(
            {
                "kind": [KINDS.get(name, "feature") for name in quantities],
                "quantity": quantities,
                "segment": [list(SEGMENTS)[at] for at in segments],
                "rows": rows[asked],
                "psi": psi(ours, theirs),
                "ks": kolmogorov_smirnov(ours, theirs),
                "js_distance": np.sqrt(found.divergence[asked]),
                "fraud_ratio": _fraud_ratio(ours, theirs),
                "missing": shares(ours)[:, MISSING],
                "p_value": chances,
                "adjusted_p": stats.false_discovery_control(chances) if len(chances) else chances,
            },
            schema_overrides={name: kind for name, kind in COLUMNS.items() if name != "drifted"},
        )
        is_label = pl.col("kind") == "label"
        frame = frame.with_columns(fraud_ratio=pl.when(is_label).then("fraud_ratio"))
        enough = pl.when(is_label).then(_large_ratio()).otherwise(pl.col("psi") >= bounds.LEAST_PSI)
        certain = pl.col("adjusted_p") <= bounds.FALSE_DISCOVERY_RATE
        return frame.with_columns(drifted=certain & enough).sort(
            "drifted", "psi", descending=True, maintain_order=True
        )


def _fraud_ratio(day: Ints, reference: Ints) -> Floats:
    """Share of the second bin over that of the reference; half a row stands for none."""
    ours, theirs = (
        np.maximum(side[:, 1], 0.5) / np.maximum(side.sum(axis=-1), 1) for side in (day, reference)
    )
    ratio: Floats = ours / theirs
    return ratio


def _large_ratio() -> pl.Expr:
    ratio = pl.col("fraud_ratio")
    return (ratio >= bounds.LEAST_RATIO) | (ratio <= 1 / bounds.LEAST_RATIO)
