"""scikit-learn trees -> ONNX tree ensembles in double precision, built node by node with the `onnx` helper.

Leaf values are rounded to multiples of 2^-40, which makes their sums exact in any order (and so equal for any
batch size and thread count) at a cost of 5e-13 a tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.tree._tree import Tree

Doubles = NDArray[np.float64]
GRAIN = 2.0**40
OPSET_ML, OPSET, IR_VERSION = 5, 21, 10
SUM, NO_TRANSFORM, BRANCH_LEQ = 1, 0, 0


@dataclass(frozen=True)
class TreeTable:
    """One tree as arrays over its node ids, and what each leaf adds to the ensemble's sum."""

    feature: NDArray[np.integer]
    threshold: Doubles
    left: NDArray[np.integer]
    right: NDArray[np.integer]
    leaf_value: Doubles

    @classmethod
    def of(cls, tree: Tree, leaf_value: Doubles) -> TreeTable:
        return cls(tree.feature, tree.threshold, tree.children_left, tree.children_right, leaf_value)

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        return np.asarray(self.left < 0)


def random_forest_graph(forest: RandomForestClassifier) -> bytes:
    """ONNX bytes; output [n, 1] is the forest's probability of class 1."""
    share = 1.0 / len(forest.estimators_)
    tables = [TreeTable.of(e.tree_, e.tree_.value[:, 0, 1] * share) for e in forest.estimators_]
    return _graph(tables, forest.n_features_in_, "random_forest")


def isolation_forest_graph(forest: IsolationForest) -> bytes:
    """ONNX bytes; output [n, 1] is the mean path length over the trees (short = anomalous)."""
    share = 1.0 / len(forest.estimators_)
    tables = [TreeTable.of(e.tree_, path_lengths(e.tree_) * share) for e in forest.estimators_]
    return _graph(tables, forest.n_features_in_, "isolation_forest")


def path_lengths(tree: Tree) -> Doubles:
    """Edges from the root to each node plus the expected further path c(n) of its n rows, float64 [nodes]."""
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):
        if tree.children_left[node] >= 0:
            depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
    return depth + average_path_length(tree.n_node_samples)


def average_path_length(n: NDArray[np.integer]) -> Doubles:
    """c(n): mean path of an unsuccessful search in a binary tree of n rows (Liu, Ting, Zhou 2008, eq. 1)."""
    rows = np.maximum(n, 3).astype(np.float64)
    many = 2.0 * (np.log(rows - 1.0) + np.euler_gamma) - 2.0 * (rows - 1.0) / rows
    return np.select([n <= 1, n == 2], [0.0, 1.0], many)


def forest_arrays(forest: RandomForestClassifier) -> bytes:
    """npz bytes of the node arrays that `scoring.attributions.ForestPaths` reads."""
    trees = [e.tree_ for e in forest.estimators_]
    sizes = [tree.node_count for tree in trees]
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    feature = np.concatenate([tree.feature for tree in trees])
    self_or = [_children(tree, offset) for tree, offset in zip(trees, offsets, strict=True)]
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        feature=np.maximum(feature, 0).astype(np.int16),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        left=np.concatenate([left for left, _ in self_or]).astype(np.int32),
        right=np.concatenate([right for _, right in self_or]).astype(np.int32),
        value=np.concatenate([tree.value[:, 0, 1] for tree in trees]).astype(np.float32),
        roots=offsets.astype(np.int32),
    )
    return buffer.getvalue()


def _children(tree: Tree, offset: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Children by position in the joined arrays; a leaf is its own child."""
    own = np.arange(tree.node_count)
    leaf = tree.children_left < 0
    return (
        np.where(leaf, own, tree.children_left) + offset,
        np.where(leaf, own, tree.children_right) + offset,
    )


def _graph(tables: Sequence[TreeTable], n_features: int, name: str) -> bytes:
    node = helper.make_node(
        "TreeEnsemble",
        ["features"],
        ["output"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=SUM,
        post_transform=NO_TRANSFORM,
        **_attributes([_with_split(table) for table in tables]),
    )
    graph = helper.make_graph(
        [node],
        name,
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, [None, n_features])],
        [helper.make_tensor_value_info("output", TensorProto.DOUBLE, [None, 1])],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", OPSET_ML), helper.make_opsetid("", OPSET)]
    model: ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    return bytes(model.SerializeToString())


def _attributes(tables: Sequence[TreeTable]) -> dict[str, object]:
    """Attributes of the TreeEnsemble operator: splits and leaves of all trees, numbered apart, end to end."""
    splits = np.cumsum([0, *((~table.is_leaf).sum() for table in tables)])
    leaves = np.cumsum([0, *(table.is_leaf.sum() for table in tables)])
    numbers = [_numbers(table, splits[i], leaves[i]) for i, table in enumerate(tables)]
    split = np.concatenate([~table.is_leaf for table in tables])
    left, left_is_leaf = _branch(tables, numbers, "left")
    right, right_is_leaf = _branch(tables, numbers, "right")
    weights = np.concatenate([table.leaf_value for table in tables])[~split]
    return {
        "nodes_featureids": np.concatenate([table.feature for table in tables])[split].tolist(),
        "nodes_splits": numpy_helper.from_array(np.concatenate([table.threshold for table in tables])[split]),
        "nodes_modes": numpy_helper.from_array(np.full(split.sum(), BRANCH_LEQ, dtype=np.uint8)),
        "nodes_truenodeids": left,
        "nodes_trueleafs": left_is_leaf,
        "nodes_falsenodeids": right,
        "nodes_falseleafs": right_is_leaf,
        "tree_roots": splits[:-1].tolist(),
        "leaf_targetids": [0] * int(leaves[-1]),
        "leaf_weights": numpy_helper.from_array(np.round(weights * GRAIN) / GRAIN),
    }


def _numbers(table: TreeTable, first_split: int, first_leaf: int) -> NDArray[np.integer]:
    """Number of each node among all splits or among all leaves."""
    leaf = table.is_leaf
    return np.where(leaf, first_leaf + np.cumsum(leaf) - 1, first_split + np.cumsum(~leaf) - 1)


def _branch(
    tables: Sequence[TreeTable], numbers: Sequence[NDArray[np.integer]], side: str
) -> tuple[list[int], list[int]]:
    """Number of each split's child on one side, and whether that child is a leaf."""
    children = [getattr(table, side)[~table.is_leaf] for table in tables]
    number = np.concatenate([own[child] for own, child in zip(numbers, children, strict=True)])
    leaf = np.concatenate([table.is_leaf[child] for table, child in zip(tables, children, strict=True)])
    return number.tolist(), leaf.astype(int).tolist()


def _with_split(table: TreeTable) -> TreeTable:
    """A tree of one leaf has no split to start from: give it one whose sides are that same leaf."""
    if len(table.left) > 1:
        return table
    return TreeTable(
        feature=np.array([0, -2]),
        threshold=np.array([0.0, -2.0]),
        left=np.array([1, -1]),
        right=np.array([1, -1]),
        leaf_value=np.repeat(table.leaf_value, 2),
    )
