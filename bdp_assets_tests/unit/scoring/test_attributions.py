from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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


def test_no_rows_no_contributions(paths: ForestPaths) -> None:
    assert paths.contributions(np.empty((0, WIDTH))).shape == (0, WIDTH)
