"""Which graphs are sums of trees, and thresholds in single precision; `test_packed` has what they give."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from sklearn.ensemble import RandomForestClassifier

from bdp_assets.decisions.policy import make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Bundle, Training
from bdp_assets.scoring.ensemble import CHUNK_ROWS, Ensemble
from bdp_assets.scoring.trees import _rounded_down, trees_of
from bdp_assets.training.assemble import assemble
from bdp_assets.training.export import random_forest_graph
from bdp_assets_tests.fakes.tiny_bundle import tiny_fitted, tiny_rows

WIDTH = 6


def forest() -> bytes:
    matrix, fraud = tiny_rows(WIDTH, rows=500, seed=1)
    fitted = RandomForestClassifier(9, max_depth=4, random_state=1).fit(matrix.astype(np.float32), fraud)
    return random_forest_graph(fitted)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(width=32, allow_nan=False))
def test_a_threshold_in_single_precision_parts_the_same_numbers(doubles: list[float], number: float) -> None:
    thresholds = np.array(doubles)
    with np.errstate(over="ignore"):
        near = np.append(thresholds, number).astype(np.float32)
    for one in near:
        assert ((one <= thresholds) == (one <= _rounded_down(thresholds))).all()


def other_graphs() -> dict[str, bytes]:
    """Graphs that walks do not know: a node after the trees, and `<` in place of `<=`."""
    after = onnx.load_from_string(forest())
    after.graph.node[0].output[0] = "sum"
    after.graph.node.append(helper.make_node("Identity", ["sum"], ["output"]))
    less = onnx.load_from_string(forest())
    (modes,) = [one for one in less.graph.node[0].attribute if one.name == "nodes_modes"]
    changed = np.ones(modes.t.dims[0], dtype=np.uint8)
    modes.t.CopyFrom(onnx.numpy_helper.from_array(changed))
    mean = onnx.load_from_string(forest())
    (aggregate,) = [one for one in mean.graph.node[0].attribute if one.name == "aggregate_function"]
    aggregate.i = 0
    graphs = {name: m.SerializeToString() for name, m in (("after", after), ("less", less), ("mean", mean))}
    return {**graphs, "no graph": b"not a graph", "empty": b""}


@pytest.mark.parametrize("name", ["after", "less", "mean", "no graph", "empty"])
def test_a_graph_of_another_kind_is_left_to_onnx_runtime(name: str) -> None:
    assert trees_of(forest()) is not None
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
