"""Many rows down the trees, LANES of them at a time: compiled, so import it where it is about to run.

Rows of a lane group take a step each, then the next one each, until none moves any more: their loads overlap,
where one row alone waits for each of its own. No step branches, so none is predicted wrongly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bdp_assets.features.compiled.how import DOUBLES, DOUBLES_OUT, VOID, compiled

LANES = 16

_ROWS = types.Array(types.float32, 2, "C", readonly=True)
_SINGLES = types.Array(types.float32, 1, "C", readonly=True)
# Unsigned: an index that might be negative is tested for it, which takes as long as all the rest.
_PLACES = types.Array(types.uint32, 1, "C", readonly=True)
_place = np.uint32


@compiled(VOID(_ROWS, _PLACES, _SINGLES, _PLACES, DOUBLES, _PLACES, DOUBLES_OUT))
def walk(  # noqa: PLR0913, PLR0917 - the arrays of `trees.Trees`
    rows: Any, feature: Any, threshold: Any, child: Any, value: Any, root: Any, total: Any
) -> None:
    """Fill in the sum of each row's leaves. There must be a multiple of LANES rows."""
    width = rows.shape[1]
    inputs = rows.reshape(-1)
    node = np.empty(LANES, dtype=_place)
    for first in range(0, len(rows), LANES):
        group, sums = inputs[first * width :], total[first : first + LANES]
        sums[:] = 0.0
        for tree in root:
            node[:] = tree
            moved = _place(1)
            while moved:
                moved = _place(0)
                for lane in range(LANES):
                    old = node[lane]
                    cell = _place(lane * width + feature[old])
                    new = _place(child[old] + _place(group[cell] > threshold[old]))
                    moved |= old ^ new
                    node[lane] = new
            for lane in range(LANES):
                sums[lane] += value[node[lane]]
