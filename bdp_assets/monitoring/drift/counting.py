"""Rows of days -> how many fall into which bin, by quantity and segment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.monitoring.drift.bins import BINS, Floats, Ints, bin_of
from bdp_assets.monitoring.drift.segments import SEGMENTS

SCORE = "score"
FRAUD = "fraud"
OUTCOMES = (SCORE, FRAUD)
"""Null where the row has none: not scored by the model, or its label is not due. Of a feature a null is a
value like any other, that should not be there."""


def count(rows: pl.DataFrame, days: Sequence[date], edges: dict[str, Floats]) -> Ints:
    """Counts int64 [days, quantities, segments, BINS], in the order of the arguments.

    `rows`: event_date, the features, and SCORE and FRAUD as Float64; other days are left out.
    """
    rows = rows.filter(pl.col(EVENT_DATE).is_in(list(days)))
    position = rows[EVENT_DATE].replace_strict(list(days), range(len(days)), return_dtype=pl.Int64).to_numpy()
    masks = rows.select(**SEGMENTS) if len(rows) else pl.DataFrame(schema=dict.fromkeys(SEGMENTS, pl.Boolean))
    members = [np.flatnonzero(_whole(masks[name], len(rows))) for name in SEGMENTS]
    counts = np.zeros((len(days), len(edges), len(SEGMENTS), BINS), dtype=np.int64)
    for at, (name, ends) in enumerate(edges.items()):
        values = rows[name].cast(pl.Float64).to_numpy()
        cell = position * BINS + bin_of(values, ends)
        there = ~np.isnan(values) if name in OUTCOMES else np.ones(len(values), dtype=bool)
        for segment, chosen in enumerate(members):
            cells = cell[chosen[there[chosen]]]
            counts[:, at, segment] = np.bincount(cells, minlength=len(days) * BINS).reshape(-1, BINS)
    return counts


def _whole(mask: pl.Series, rows: int) -> np.ndarray:
    """A constant condition gives one row; a missing feature none."""
    filled = mask.fill_null(value=False).to_numpy()
    return np.broadcast_to(filled, rows) if len(filled) == 1 else filled
