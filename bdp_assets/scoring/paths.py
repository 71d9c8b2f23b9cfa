"""Rows down the trees of a forest, with what each step moves. Compiled: import it where it is to run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bdp_assets.features.compiled.how import DOUBLES, INTS, MATRIX_OUT, VOID, compiled

_ROWS = types.Array(types.float64, 2, "C", readonly=True)


@compiled(VOID(_ROWS, INTS, DOUBLES, INTS, INTS, DOUBLES, INTS, MATRIX_OUT))
def add_moves(  # noqa: PLR0913, PLR0917 - the arrays of `attributions.ForestPaths`
    rows: Any, feature: Any, threshold: Any, left: Any, right: Any, value: Any, roots: Any, total: Any
) -> None:
    """Add to `total` what the splits on each feature move, for each row.

    One step down all trees, then the next one: so moves are always added up in one order.
    """
    node = np.empty(len(roots), dtype=np.int64)
    for row in range(len(rows)):
        node[:] = roots
        moves = True
        while moves:
            moves = False
            for tree in range(len(roots)):
                old = node[tree]
                cell = feature[old]
                new = left[old] if rows[row, cell] <= threshold[old] else right[old]
                if new != old:
                    total[row, cell] += value[new] - value[old]
                    node[tree] = new
                    moves = True
