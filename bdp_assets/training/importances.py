"""Which features a model decides by: the size of their additive contributions to the forest's probability."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.attributions import ForestPaths

MOST_ROWS = 2_000
"""Of each kind: the walk down all trees takes a third of a millisecond a row."""


def importances(
    paths: ForestPaths, matrix: NDArray[np.float64], fraud: NDArray[np.bool_], most_rows: int = MOST_ROWS
) -> pl.DataFrame:
    """feature, and the mean absolute contribution in frauds and in good rows, the largest in frauds first.

    Args:
        matrix: float64 [n, n_features] in catalog order; of each kind up to `most_rows` rows, evenly spaced.
        fraud: bool [n], with rows of both kinds.
    """
    means = {
        name: np.abs(paths.contributions(matrix[_some(kind, most_rows)])).mean(axis=0)
        for name, kind in (("frauds", fraud), ("good", ~fraud))
    }
    found = pl.DataFrame({"feature": CATALOG.names, **means})
    return found.sort("frauds", "feature", descending=[True, False])


def _some(chosen: NDArray[np.bool_], most: int) -> NDArray[np.intp]:
    positions = np.flatnonzero(chosen)
    return positions[np.linspace(0, len(positions) - 1, min(most, len(positions))).astype(np.intp)]
