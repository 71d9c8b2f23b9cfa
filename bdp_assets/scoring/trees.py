"""A member's graph as arrays of nodes, for compiled loops: the outputs of ONNX Runtime, bit for bit.

Both take the same branch everywhere: inputs are single-precision numbers, and such a number is at most a
threshold exactly where it is at most the threshold rounded down to single precision. Leaf values are
multiples of 2^-40, so that their sums are exact in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Places = NDArray[np.uint32]

_KIND = "TreeEnsemble"
_AS_EXPORTED = {"aggregate_function": 1, "n_targets": 1, "post_transform": 0}
"""Sums of one number a leaf; `<=` everywhere is seen in the modes."""


@dataclass(frozen=True)
class Trees:
    """All trees of a member, end to end, breadth first, the two children of a split side by side.

    A row goes on to `child` where its `feature` is at most the `threshold`, else to the node after that one.
    A leaf is its own child and has an infinite threshold. `value`: what a leaf adds; `root`: where each tree
    begins.
    """

    feature: Places
    threshold: Singles
    child: Places
    value: Doubles
    root: Places


def trees_of(model: bytes) -> Trees | None:
    """None: the model is no sum of trees as `training.export` writes them."""
    try:
        graph = onnx.load_from_string(model).graph
    except DecodeError:
        return None
    if [node.op_type for node in graph.node] != [_KIND]:
        return None
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in graph.node[0].attribute}
    arrays = {
        name: onnx.numpy_helper.to_array(one) if isinstance(one, onnx.TensorProto) else np.array(one)
        for name, one in attributes.items()
    }
    if any(attributes.get(name) != wanted for name, wanted in _AS_EXPORTED.items()):
        return None
    return None if arrays["nodes_modes"].any() else _of_arrays(arrays)


def _of_arrays(arrays: dict[str, NDArray[Any]]) -> Trees:
    splits = len(arrays["nodes_splits"])
    children = np.column_stack(
        [arrays[f"nodes_{side}nodeids"] + splits * arrays[f"nodes_{side}leafs"] for side in ("true", "false")]
    )
    node, child, root = _in_rows(children, arrays["tree_roots"])
    leaf = node >= splits
    split, end = np.where(leaf, 0, node), np.where(leaf, node - splits, 0)
    return Trees(
        feature=np.where(leaf, 0, arrays["nodes_featureids"][split]).astype(np.uint32),
        threshold=np.where(leaf, np.float32(np.inf), _rounded_down(arrays["nodes_splits"][split])),
        child=child.astype(np.uint32),
        value=np.where(leaf, arrays["leaf_weights"][end], 0.0),
        root=root.astype(np.uint32),
    )


def _in_rows(children: NDArray[Any], roots: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The node at each place of the whole, the place of its first child (a leaf's own), and those of roots.

    Level by level over all trees, then tree by tree. Nodes of numbers below `len(children)` are splits.
    """
    nodes, trees, firsts = [roots], [np.arange(len(roots))], []
    while nodes[-1].size:
        known = sum(map(len, nodes))
        is_split = nodes[-1] < len(children)
        firsts.append(np.where(is_split, known + 2 * (np.cumsum(is_split) - 1), -1))
        nodes.append(children[nodes[-1][is_split]].ravel())
        trees.append(np.repeat(trees[-1][is_split], 2))
    tree, first = np.concatenate(trees), np.concatenate(firsts)
    order = np.argsort(tree, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    child = np.where(first < 0, place, place[first])[order]
    return np.concatenate(nodes)[order], child, place[: len(roots)]


def _rounded_down(thresholds: Doubles) -> Singles:
    with np.errstate(over="ignore"):
        singles = thresholds.astype(np.float32)
    return np.where(singles > thresholds, np.nextafter(singles, np.float32(-np.inf)), singles)
