"""Rows down the trees of a forest, with what each step moves. Compiled: import it where it is to run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import from_dtype, types

from bdp_assets.features.compiled.how import INTS, MATRIX_OUT, VOID, compiled

NODE = np.dtype(
    [
        ("threshold", np.float64),
        ("value", np.float64),
        ("feature", np.int32),
        ("left", np.int32),
        ("right", np.int32),
    ],
    align=True,
)
"""What is read of a node lies together: nodes are rarely in the caches, and each is looked at once."""

_ROWS = types.Array(types.float64, 2, "C", readonly=True)
_NODES = types.Array(from_dtype(NODE), 1, "C", readonly=True)


@compiled(VOID(_ROWS, _NODES, INTS, MATRIX_OUT))
def add_moves(rows: Any, nodes: Any, roots: Any, total: Any) -> None:
    """Add to `total` what the splits on each feature move, for each row.

    One step down all trees that still go on, then the next one: so moves are always added up in one order.
    """
    place = np.empty(len(roots), dtype=np.int64)
    for row in range(len(rows)):
        place[:] = roots
        going = len(roots)
        while going:
            count, going = going, 0
            for tree in range(count):
                old = place[tree]
                node = nodes[old]
                new = node.left if rows[row, node.feature] <= node.threshold else node.right
                if new != old:
                    total[row, node.feature] += nodes[new].value - node.value
                    place[going] = new
                    going += 1
