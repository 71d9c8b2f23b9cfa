"""From features to probabilities in one compiled call: all members' trees, tables, blend and calibration.

Importing it loads Numba. LANES ways down a tree take a step each, then the next one each, until none moves
any more: their loads overlap, where one alone waits for each of its own. No step branches, so none is
predicted wrongly. Lanes are as many rows on one tree, one row on as many trees, or what lies between.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import from_dtype, types

from bdp_assets.features.compiled.how import BOOL, DOUBLES, DOUBLES_OUT, INTS, compiled, inner

LANES = 16
NODE = np.dtype([("threshold", np.float32), ("feature", np.uint32), ("child", np.uint32)])
"""One array to hand over instead of three, which take as long to walk (ADR 61)."""

_ROWS = types.Array(types.float64, 2, "C", readonly=True)
_NODES = types.Array(from_dtype(NODE), 1, "C", readonly=True)
# Unsigned: an index that might be negative is tested for it, which takes as long as all the rest.
_PLACES = types.Array(types.uint32, 1, "C", readonly=True)
_place = np.uint32


@inner
def rounded(cells: Any, inputs: Any) -> Any:
    """Fill in the numbers in single precision; whether all are finite there."""
    finite = True
    for i in range(len(cells)):
        single = np.float32(cells[i])
        inputs[i] = single
        finite &= np.isfinite(single)
    return finite


@inner
def descend(nodes: Any, inputs: Any, base: Any, place: Any) -> None:
    """Take each lane from its place to a leaf; its row begins at `base` of the inputs."""
    moved = _place(1)
    while moved:
        moved = _place(0)
        for lane in range(LANES):
            old = place[lane]
            node = nodes[old]
            right = inputs[_place(base[lane] + node.feature)] > node.threshold
            new = _place(node.child + _place(right))
            moved |= old ^ new
            place[lane] = new


@inner
def add_leaves(nodes: Any, value: Any, root: Any, inputs: Any, total: Any) -> None:
    """The sum of each row's leaves. The lanes: each row, on as many trees as there is then room for."""
    trees = LANES // len(total)
    tree, row = np.empty(LANES, dtype=_place), np.empty(LANES, dtype=_place)
    base, place = np.empty(LANES, dtype=_place), np.empty(LANES, dtype=_place)
    for lane in range(LANES):
        tree[lane], row[lane] = lane % trees, lane // trees
        base[lane] = row[lane] * inputs.shape[1]
    total[:] = 0.0
    for first in range(0, len(root), trees):
        for lane in range(LANES):
            place[lane] = root[_place(first) + tree[lane]]
        descend(nodes, inputs.reshape(-1), base, place)
        for lane in range(LANES):
            total[row[lane]] += value[place[lane]]


@inner
def on_line(lines: Any, number: Any) -> Any:
    """`tables.PiecewiseLinear` of one number, by its `lines`."""
    below, above = 0, len(lines)
    while above - below > 1:
        middle = (below + above) // 2
        if lines[middle, 0] <= number:
            below = middle
        else:
            above = middle
    inside = min(max(number, lines[0, 0]), lines[-1, 1])
    y = lines[below, 2] + lines[below, 3] * (inside - lines[below, 0])
    return min(max(y, lines[below, 4]), lines[below, 5])


@compiled(BOOL(_ROWS, _NODES, DOUBLES, _PLACES, INTS, _ROWS, INTS, DOUBLES, DOUBLES_OUT))
def probabilities(  # noqa: PLR0913, PLR0917 - the arrays of `packed.Packed`
    rows: Any,
    nodes: Any,
    value: Any,
    root: Any,
    first_tree: Any,
    lines: Any,
    first_line: Any,
    weight: Any,
    out: Any,
) -> Any:
    """Fill in the probability of each row; False: a number is not finite in single precision."""
    width, members = rows.shape[1], len(weight)
    cells = rows.reshape(-1)
    inputs = np.empty((LANES, width), dtype=np.float32)
    leaves = np.empty(LANES)
    first, count = 0, LANES
    while first < len(rows):
        while first + count > len(rows):
            count //= 2
        if not rounded(cells[first * width : (first + count) * width], inputs.reshape(-1)):
            return False
        blend, total = out[first : first + count], leaves[:count]
        blend[:] = 0.0
        for member in range(members):
            trees = root[first_tree[member] : first_tree[member + 1]]
            add_leaves(nodes, value, trees, inputs, total)
            table = lines[first_line[member] : first_line[member + 1]]
            for i in range(count):
                blend[i] += weight[member] * on_line(table, total[i])
        for i in range(count):
            blend[i] = on_line(lines[first_line[members] :], blend[i])
        first += count
    return True
