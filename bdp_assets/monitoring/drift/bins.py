"""Bins of a quantity: quantiles of the training days, with what is frequent in a bin of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUANTILES = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
FEW_VALUES = 12
"""A quantity with no more different values than this has a bin for each."""
BINS = 2 * len(QUANTILES) + 2
"""Most bins of a quantity, the last of which is for missing values."""
MISSING = BINS - 1


def edges_of(values: Floats) -> Floats:
    """Upper ends of the bins, ascending, but for the last bin, which has none: float64 [at most BINS - 2].

    `values` [n]: finite, at least one.
    """
    different = np.unique(values)
    if len(different) <= FEW_VALUES:
        return different
    quantiles, times = np.unique(np.quantile(values, QUANTILES, method="lower"), return_counts=True)
    # A value that is several quantiles at once gets its own bin: most features are 0 for most rows.
    frequent = np.nextafter(quantiles[times > 1], -np.inf)
    return np.unique(np.concatenate([quantiles, frequent]))


def bin_of(values: Floats, edges: Floats) -> Ints:
    """Bin of each value, MISSING where it is not a number: int64 [n]."""
    found: Ints = np.searchsorted(edges, values, side="left")
    return np.where(np.isnan(values), MISSING, found)
