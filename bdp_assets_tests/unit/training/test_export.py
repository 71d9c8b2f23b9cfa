from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest, RandomForestClassifier

from bdp_assets.scoring.graphs import Graph
from bdp_assets.training.export import (
    GRAIN,
    average_path_length,
    isolation_forest_graph,
    path_lengths,
    random_forest_graph,
)
from bdp_assets.training.fit import mean_path_length

Doubles = NDArray[np.float64]
RANDOM = np.random.default_rng(1)
ROWS = RANDOM.normal(size=(2_000, 6))
FRAUD = ROWS[:, 0] * ROWS[:, 1] > 1
UNSEEN = RANDOM.normal(size=(3_000, 6))


def rounded(rows: Doubles) -> Doubles:
    """What the ensemble hands to a graph: doubles that single precision can hold."""
    return rows.astype(np.float32).astype(np.float64)


@pytest.fixture(scope="module")
def forest() -> RandomForestClassifier:
    return RandomForestClassifier(30, max_depth=15, random_state=0).fit(ROWS.astype(np.float32), FRAUD)


@pytest.fixture(scope="module")
def isolation() -> IsolationForest:
    return IsolationForest(n_estimators=40, max_samples=128, random_state=0).fit(ROWS.astype(np.float32))


def test_random_forest_agrees_with_the_library(forest: RandomForestClassifier) -> None:
    output = Graph(random_forest_graph(forest))(rounded(UNSEEN))
    assert np.abs(output - forest.predict_proba(UNSEEN.astype(np.float32))[:, 1]).max() < 1e-9


def test_rows_on_a_threshold_take_the_librarys_branch(forest: RandomForestClassifier) -> None:
    # Each row sits on, just below or just above a split of the forest, as single precision sees it.
    splits = [(t.feature[i], t.threshold[i]) for e in forest.estimators_ for t in [e.tree_] for i in range(5)]
    rows = np.repeat(ROWS[: len(splits)], 3, axis=0)
    for i, (feature, threshold) in enumerate(splits):
        near = np.float32(threshold)
        rows[3 * i : 3 * i + 3, feature] = np.nextafter(near, -np.inf), near, np.nextafter(near, np.inf)
    output = Graph(random_forest_graph(forest))(rounded(rows))
    assert np.abs(output - forest.predict_proba(rows.astype(np.float32))[:, 1]).max() < 1e-9


def test_isolation_forest_gives_the_librarys_mean_path_length(isolation: IsolationForest) -> None:
    output = Graph(isolation_forest_graph(isolation))(rounded(UNSEEN))
    assert np.abs(output - mean_path_length(isolation, UNSEEN.astype(np.float32))).max() < 1e-9


def test_leaf_values_are_whole_grains_so_that_sums_are_exact(forest: RandomForestClassifier) -> None:
    output = Graph(random_forest_graph(forest))(rounded(UNSEEN))
    assert (output * GRAIN == np.round(output * GRAIN)).all()


def test_a_forest_of_single_leaves() -> None:
    alike = np.zeros((40, 6), dtype=np.float32)
    forest = RandomForestClassifier(5, random_state=0).fit(alike, np.arange(40) % 4 == 0)
    assert {e.tree_.node_count for e in forest.estimators_} == {1}
    output = Graph(random_forest_graph(forest))(rounded(UNSEEN))
    assert output == pytest.approx(forest.predict_proba(UNSEEN.astype(np.float32))[:, 1], abs=1e-9)


def test_path_lengths_by_walking_down(isolation: IsolationForest) -> None:
    tree = isolation.estimators_[0].tree_

    def walk(node: int, edges: int) -> dict[int, float]:
        below = average_path_length(tree.n_node_samples[node : node + 1])[0]
        found = {node: edges + below}
        if tree.children_left[node] >= 0:
            found |= walk(tree.children_left[node], edges + 1) | walk(tree.children_right[node], edges + 1)
        return found

    expected = walk(0, 0)
    assert path_lengths(tree).tolist() == pytest.approx([expected[node] for node in range(tree.node_count)])


def test_average_path_length_of_the_paper() -> None:
    # c(n) = 2 H(n-1) - 2 (n-1) / n, the harmonic number H by its approximation.
    assert average_path_length(np.array([0, 1, 2])).tolist() == [0, 0, 1]
    assert average_path_length(np.array([256]))[0] == pytest.approx(10.244, abs=1e-3)
