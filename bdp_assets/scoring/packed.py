"""A whole ensemble as flat arrays, for the compiled call that scores by it. Importing it loads Numba."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bdp_assets.scoring.bundle import RETRAIN, Bundle, BundleError
from bdp_assets.scoring.tables import PiecewiseLinear
from bdp_assets.scoring.trees import Trees, trees_of
from bdp_assets.scoring.walk import LANES, NODE, probabilities

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Packed:
    """Members, blend and calibration of a bundle whose members are all sums of trees.

    nodes: `walk.NODE` [nodes] of all trees, and one leaf that adds nothing; value: what each adds, float64;
    root: uint32, where each tree begins, a multiple of LANES a member: filled up with that leaf;
    first_tree: int64 [members + 1], each member's first in `root`, and the end;
    lines: float64 [lines, 6] of all members' tables and the calibration; first_line: int64 [members + 2];
    weight: float64 [members].
    """

    nodes: NDArray[Any]
    value: Doubles
    root: NDArray[np.uint32]
    first_tree: Ints
    lines: Doubles
    first_line: Ints
    weight: Doubles

    @classmethod
    def of(cls, bundle: Bundle) -> Packed | None:
        """None: a member is something else.

        Raises:
            BundleError: a table is not monotone, or a tree asks for a feature that the bundle does not name.
        """
        members = bundle.manifest.members
        found = [trees_of(bundle.file(member.file)) for member in members]
        trees = [one for one in found if one is not None]
        if len(trees) < len(members):
            return None
        width = len(bundle.manifest.training.feature_names)
        if any(one.feature.max() >= width for one in trees):
            raise BundleError(
                f"a tree of model {bundle.info.version} asks for more than its {width} features. {RETRAIN}"
            )
        nodes, value, root, first_tree = _joined(trees)
        tables = (*(member.table for member in members), bundle.manifest.calibration)
        lines = [PiecewiseLinear(table).lines for table in tables]
        weight = np.array([member.weight for member in members], dtype=np.float64)
        return cls(nodes, value, root, first_tree, np.concatenate(lines), _firsts(lines), weight)

    def __call__(self, rows: Doubles) -> Doubles | None:
        """float64 [n, n_features], C-contiguous -> float64 [n]; None: not all finite in single precision."""
        out = np.empty(len(rows))
        finite = probabilities(
            *(rows, self.nodes, self.value, self.root, self.first_tree),
            *(self.lines, self.first_line, self.weight, out),
        )
        return out if finite else None


def _joined(trees: Sequence[Trees]) -> tuple[NDArray[Any], Doubles, NDArray[np.uint32], Ints]:
    """`nodes`, `value`, `root` and `first_tree` of `Packed`."""
    offsets = _firsts([one.value for one in trees])
    nothing = int(offsets[-1])
    nodes = np.zeros(nothing + 1, dtype=NODE)
    nodes[nothing] = (np.inf, 0, nothing)
    roots = []
    for one, offset in zip(trees, offsets.tolist(), strict=False):
        own = nodes[offset : offset + len(one.value)]
        own["threshold"], own["feature"], own["child"] = one.threshold, one.feature, one.child + offset
        filling = np.full(-len(one.root) % LANES, nothing)
        roots.append(np.concatenate([one.root + offset, filling]).astype(np.uint32))
    value = np.concatenate([*(one.value for one in trees), [0.0]])
    return nodes, value, np.concatenate(roots), _firsts(roots)


def _firsts(parts: Sequence[NDArray[Any]]) -> Ints:
    """Where each part begins when they lie end to end, and the end: int64 [parts + 1]."""
    return np.cumsum([0, *map(len, parts)], dtype=np.int64)
