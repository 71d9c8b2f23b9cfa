from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.attributions import ForestPaths
from bdp_assets.scoring.bundle import Bundle
from bdp_assets_tests.fakes.tiny_bundle import tiny_fitted, tiny_rows

WIDTH = len(CATALOG.names)
ROWS, _ = tiny_rows(WIDTH, rows=300, seed=5)


@pytest.fixture(scope="module")
def paths(bundle_folder: Path) -> ForestPaths:
    return ForestPaths.of(Bundle.read(bundle_folder))


def test_contributions_add_up_to_the_forests_probability(paths: ForestPaths) -> None:
    forest = tiny_fitted(WIDTH).members.forest
    expected = forest.predict_proba(ROWS.astype(np.float32))[:, 1]
    assert paths.base + paths.contributions(ROWS).sum(axis=1) == pytest.approx(expected, abs=1e-6)


def test_a_row_is_explained_alike_alone_and_among_others(paths: ForestPaths) -> None:
    together = paths.contributions(ROWS)
    assert together.tobytes() == np.concatenate([paths.contributions(row[None]) for row in ROWS]).tobytes()


def test_the_features_that_make_the_fraud_lead(paths: ForestPaths) -> None:
    suspicious = np.zeros((1, WIDTH))
    suspicious[0, :2] = 3.0
    assert set(np.argsort(-paths.contributions(suspicious)[0])[:2]) == {0, 1}


def test_contributions_are_those_that_xgboost_gives_its_own_forest() -> None:
    """`approx_contribs` of XGBoost are the same path attributions (Saabas), for trees that it grew itself."""
    rows = np.random.default_rng(0).normal(size=(2_000, 6)).astype(np.float32)
    fraud = rows[:, 0] * rows[:, 1] + rows[:, 2] > 0.8
    forest = xgboost.train(
        {"max_depth": 6, "eta": 1, "lambda": 0, "base_score": 0, "num_parallel_tree": 9, "subsample": 0.7},
        xgboost.DMatrix(rows, fraud),
        num_boost_round=1,
    )
    theirs = forest.predict(xgboost.DMatrix(rows), pred_contribs=True, approx_contribs=True)
    paths, trees = paths_of(forest.trees_to_dataframe())
    ours = paths.contributions(rows.astype(np.float64)) * trees
    assert np.abs(theirs[:, :-1]).max() > 0.3
    assert ours == pytest.approx(theirs[:, :-1], abs=1e-6)
    assert paths.base * trees == pytest.approx(theirs[0, -1], abs=1e-6)


def paths_of(nodes: pd.DataFrame) -> tuple[ForestPaths, int]:
    """XGBoost's nodes as ours, and how many trees they are: a node's value is the mean of its leaves."""
    place = {name: at for at, name in enumerate(nodes["ID"])}
    is_leaf = (nodes["Feature"] == "Leaf").to_numpy()
    left, right = (
        np.array([place.get(child, at) for at, child in enumerate(nodes[side])])  # A leaf is its own child.
        for side in ("Yes", "No")
    )
    cover, value = nodes["Cover"].to_numpy(), np.where(is_leaf, nodes["Gain"], 0.0)
    for at in np.argsort(-nodes["Node"].to_numpy(), kind="stable"):  # Children have greater numbers.
        if not is_leaf[at]:
            both = [left[at], right[at]]
            value[at] = np.average(value[both], weights=cover[both])
    roots = np.flatnonzero(nodes["Node"] == 0)
    # It goes left below a split, we at or below a threshold.
    below = np.nextafter(nodes["Split"].fillna(0).to_numpy(np.float32), np.float32(-np.inf))
    feature = np.array([0 if name == "Leaf" else int(name[1:]) for name in nodes["Feature"]])
    arrays = {"feature": feature, "threshold": below.astype(np.float64), "left": left, "right": right}
    return ForestPaths(arrays | {"value": value, "roots": roots}), len(roots)


def test_no_rows_no_contributions(paths: ForestPaths) -> None:
    assert paths.contributions(np.empty((0, WIDTH))).shape == (0, WIDTH)
