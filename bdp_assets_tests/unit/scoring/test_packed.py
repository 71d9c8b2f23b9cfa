"""A packed ensemble, scored in one compiled call, gives what its graphs give in ONNX Runtime, to the bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier

from bdp_assets.decisions.policy import make_policy
from bdp_assets.scoring.bundle import Bundle, BundleError, Member, Table, Training
from bdp_assets.scoring.graphs import Graph, Graphs
from bdp_assets.scoring.packed import Packed
from bdp_assets.scoring.walk import LANES
from bdp_assets.training.assemble import assemble
from bdp_assets.training.export import isolation_forest_graph, random_forest_graph
from bdp_assets.training.fit import Recipe
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.tiny_bundle import tiny_fitted, tiny_rows

WIDTH = 6
SIZES = (1, 2, 7, 8, 16, 17, 100, 2_000)
AS_IT_IS = Table((0.0, 64.0), (0.0, 64.0))
"""Its slope is one: within it a number keeps its bits."""
KNOTS = st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=30, unique=True).map(sorted)
TABLES = KNOTS.flatmap(
    lambda x: st.lists(st.floats(0, 1), min_size=len(x), max_size=len(x)).map(
        lambda y: Table(tuple(x), tuple(sorted(y)))
    )
)


def forest(kind: type, trees: int, depth: int | None, rows: int, seed: int) -> bytes:
    matrix, fraud = tiny_rows(WIDTH, rows=rows, seed=seed)
    return random_forest_graph(
        kind(trees, max_depth=depth, random_state=seed).fit(matrix.astype(np.float32), fraud)
    )


def bundle_of(
    models: Sequence[bytes], tables: Sequence[Table], calibration: Table, weights: Sequence[float]
) -> Bundle:
    training = Training(
        name="x", trained_at_ms=0, catalog_version="", feature_names=tuple("abcdef"), metrics={}
    )
    files = {f"{i}.onnx": model for i, model in enumerate(models)}
    members = tuple(
        Member(file, file, table, weight) for file, table, weight in zip(files, tables, weights, strict=True)
    )
    return Bundle.of(training, members, calibration, files)


def packed(bundle: Bundle) -> Packed:
    found = Packed.of(bundle)
    assert found is not None
    return found


def near_thresholds(ensemble: Packed, count: int, seed: int) -> list[np.ndarray]:
    thresholds = ensemble.nodes["threshold"]
    at = np.random.default_rng(seed).choice(thresholds[np.isfinite(thresholds)], (count, WIDTH))
    moved = (at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(-np.inf)))
    return [rows.astype(np.float64) for rows in moved]


def bits(scores: np.ndarray | None) -> bytes:
    assert scores is not None
    return scores.tobytes()


def assert_sums_are_the_graphs(model: bytes, matrices: Sequence[np.ndarray] | None, count: int = 0) -> None:
    ensemble = packed(bundle_of([model], [AS_IT_IS], AS_IT_IS, [1.0]))
    for rows in near_thresholds(ensemble, count, 1) if matrices is None else matrices:
        assert bits(ensemble(rows)) == (Graph(model)(rows).tobytes() if len(rows) else b"")


@settings(max_examples=cases(60), deadline=None)
@given(
    st.sampled_from((RandomForestClassifier, ExtraTreesClassifier)),
    st.integers(1, 2 * LANES + 1),
    st.sampled_from((1, 2, 5, None)),
    st.integers(0, 99),
    st.integers(0, 70),
)
def test_any_forest_and_number_of_rows(
    kind: type, trees: int, depth: int | None, seed: int, count: int
) -> None:
    assert_sums_are_the_graphs(forest(kind, trees, depth, 100 + 7 * seed, seed), None, count)


def test_path_lengths_of_an_isolation_forest() -> None:
    rows = tiny_rows(WIDTH, rows=3_000, seed=1)[0].astype(np.float32)
    model = isolation_forest_graph(IsolationForest(n_estimators=20, random_state=0).fit(rows))
    assert_sums_are_the_graphs(model, [rows.astype(np.float64)])


def test_trees_of_one_leaf() -> None:
    rows = np.zeros((20, WIDTH), dtype=np.float32)
    same = RandomForestClassifier(3, random_state=0).fit(rows, np.arange(20) % 2 == 0)
    assert_sums_are_the_graphs(random_forest_graph(same), [rows.astype(np.float64)])


def test_both_zeros_and_the_largest_numbers() -> None:
    model = forest(RandomForestClassifier, 9, None, 800, 3)
    extreme = np.array([0.0, -0.0, 3.4e38, -3.4e38, 1e-45, -1e-45], dtype=np.float32)
    rows = np.random.default_rng(0).choice(extreme, (200, WIDTH)).astype(np.float64)
    assert_sums_are_the_graphs(model, [rows])


@settings(max_examples=cases(60), deadline=None)
@given(
    st.lists(st.tuples(TABLES, st.floats(0, 1)), min_size=1, max_size=3),
    TABLES,
    st.integers(0, 9),
    st.sampled_from(SIZES),
)
def test_any_members_tables_and_weights(
    parts: list[tuple[Table, float]], calibration: Table, seed: int, count: int
) -> None:
    models = [forest(ExtraTreesClassifier, 5 + 9 * i, 5, 200, seed + i) for i in range(len(parts))]
    bundle = bundle_of(models, [table for table, _ in parts], calibration, [weight for _, weight in parts])
    ensemble, graphs = packed(bundle), Graphs(bundle)
    for rows in near_thresholds(ensemble, count, seed):
        assert bits(ensemble(rows)) == bits(graphs(rows))


@pytest.fixture(scope="module")
def trained() -> Bundle:
    training = Training(
        name="x", trained_at_ms=0, catalog_version="", feature_names=tuple("abcdef"), metrics={}
    )
    fitted = tiny_fitted(WIDTH, rows=1_500, recipe=Recipe(jobs=1))
    return assemble(fitted, make_policy(0.1, 0.9), training)


@pytest.mark.parametrize("count", SIZES)
def test_a_trained_bundle(trained: Bundle, count: int) -> None:
    rows, _ = tiny_rows(WIDTH, rows=count, seed=5)  # Doubles that single precision has to round.
    assert bits(packed(trained)(rows)) == bits(Graphs(trained)(rows))


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e39])
@pytest.mark.parametrize("count", SIZES)
def test_what_single_precision_can_not_hold_is_seen_in_any_row(
    trained: Bundle, count: int, value: float
) -> None:
    ensemble, graphs = packed(trained), Graphs(trained)
    for row in {0, count // 2, count - 1}:
        rows = np.zeros((count, WIDTH))
        rows[row, -1] = value
        assert ensemble(rows) is None
        assert graphs(rows) is None


def test_a_tree_that_asks_for_a_feature_that_is_not_there_is_refused() -> None:
    matrix, fraud = tiny_rows(WIDTH + 1, rows=300, seed=0)
    wide = random_forest_graph(RandomForestClassifier(9, random_state=0).fit(matrix, fraud))
    with pytest.raises(BundleError, match=f"more than its {WIDTH} features"):
        Packed.of(bundle_of([wide], [AS_IT_IS], AS_IT_IS, [1.0]))
