"""Trees walked by compiled loops give what their graph gives in ONNX Runtime, to the last bit."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier

from bdp_assets.decisions.policy import make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Bundle, Training
from bdp_assets.scoring.ensemble import CHUNK_ROWS, Ensemble, Graph
from bdp_assets.scoring.trees import Trees, _rounded_down, trees_of
from bdp_assets.training.assemble import assemble
from bdp_assets.training.export import isolation_forest_graph, random_forest_graph
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.tiny_bundle import tiny_fitted, tiny_rows

WIDTH = 6


def walked(model: bytes) -> Trees:
    found = trees_of(model)
    assert found is not None
    return found


def forest(kind: type, depth: int | None, rows: int, seed: int) -> bytes:
    matrix, fraud = tiny_rows(WIDTH, rows=rows, seed=seed)
    fitted = kind(9, max_depth=depth, random_state=seed).fit(matrix.astype(np.float32), fraud)
    return random_forest_graph(fitted)


@settings(max_examples=cases(60), deadline=None)
@given(
    st.sampled_from((RandomForestClassifier, ExtraTreesClassifier)),
    st.sampled_from((1, 2, 5, None)),
    st.integers(100, 800),
    st.integers(0, 99),
    st.integers(0, 70),
)
def test_any_forest_and_number_of_rows(
    kind: type, depth: int | None, grown_on: int, seed: int, count: int
) -> None:
    model = forest(kind, depth, grown_on, seed)
    trees = walked(model)
    rows = np.random.default_rng(seed).choice(trees.threshold[np.isfinite(trees.threshold)], (count, WIDTH))
    for near in (rows, np.nextafter(rows, np.float32(np.inf)), np.nextafter(rows, np.float32(-np.inf))):
        assert_same(model, trees, near.astype(np.float32))


def test_path_lengths_of_an_isolation_forest() -> None:
    rows = tiny_rows(WIDTH, rows=3_000, seed=1)[0].astype(np.float32)
    model = isolation_forest_graph(IsolationForest(n_estimators=20, random_state=0).fit(rows))
    assert_same(model, walked(model), rows)


def test_trees_of_one_leaf() -> None:
    rows = np.zeros((20, WIDTH), dtype=np.float32)
    same = RandomForestClassifier(3, random_state=0).fit(rows, np.arange(20) % 2 == 0)
    model = random_forest_graph(same)
    assert_same(model, walked(model), rows)


def test_both_zeros_and_the_largest_numbers() -> None:
    model = forest(RandomForestClassifier, None, 800, 3)
    extreme = np.array([0.0, -0.0, 3.4e38, -3.4e38, 1e-45, -1e-45], dtype=np.float32)
    assert_same(model, walked(model), np.random.default_rng(0).choice(extreme, (200, WIDTH)))


def assert_same(model: bytes, trees: Trees, rows: np.ndarray) -> None:
    expected = Graph(model)(rows) if len(rows) else np.empty(0)
    assert trees(rows).tobytes() == expected.tobytes()


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(width=32, allow_nan=False))
def test_a_threshold_in_single_precision_parts_the_same_numbers(doubles: list[float], number: float) -> None:
    thresholds = np.array(doubles)
    with np.errstate(over="ignore"):
        near = np.append(thresholds, number).astype(np.float32)
    for one in near:
        assert ((one <= thresholds) == (one <= _rounded_down(thresholds))).all()


def other_graphs() -> dict[str, bytes]:
    """Graphs that walks do not know: a node after the trees, and `<` in place of `<=`."""
    after = onnx.load_from_string(forest(RandomForestClassifier, 4, 500, 1))
    after.graph.node[0].output[0] = "sum"
    after.graph.node.append(helper.make_node("Identity", ["sum"], ["output"]))
    less = onnx.load_from_string(forest(RandomForestClassifier, 4, 500, 1))
    (modes,) = [one for one in less.graph.node[0].attribute if one.name == "nodes_modes"]
    changed = np.ones(modes.t.dims[0], dtype=np.uint8)
    modes.t.CopyFrom(onnx.numpy_helper.from_array(changed))
    mean = onnx.load_from_string(forest(RandomForestClassifier, 4, 500, 1))
    (aggregate,) = [one for one in mean.graph.node[0].attribute if one.name == "aggregate_function"]
    aggregate.i = 0
    return {name: m.SerializeToString() for name, m in (("after", after), ("less", less), ("mean", mean))}


@pytest.mark.parametrize("name", ["after", "less", "mean"])
def test_a_graph_of_another_kind_is_left_to_onnx_runtime(name: str) -> None:
    assert trees_of(other_graphs()[name]) is None


def test_an_ensemble_with_such_a_graph_scores_many_rows_like_few() -> None:
    training = Training(
        name="x", trained_at_ms=0, catalog_version=CATALOG.version, feature_names=CATALOG.names, metrics={}
    )
    exported = assemble(tiny_fitted(len(CATALOG.names)), make_policy(0.1, 0.9), training)
    first = exported.manifest.members[0].file
    model = onnx.load_from_string(exported.file(first))
    model.graph.node[0].output[0] = "sum"
    model.graph.node.append(helper.make_node("Identity", ["sum"], ["output"]))
    files = {**exported.files, first: model.SerializeToString()}
    mixed = Ensemble.of(Bundle.of(training, exported.manifest.members, exported.manifest.calibration, files))
    rows, _ = tiny_rows(len(CATALOG.names), rows=CHUNK_ROWS + 1, seed=2)
    assert mixed.score(rows)[:300].tobytes() == mixed.score(rows[:300]).tobytes()
    assert mixed.score(rows).tobytes() == Ensemble.of(exported).score(rows).tobytes()
