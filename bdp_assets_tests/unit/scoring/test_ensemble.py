from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bdp_assets.decisions.policy import make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Training
from bdp_assets.scoring.ensemble import CHUNK_ROWS, Ensemble
from bdp_assets.training.assemble import assemble
from bdp_assets.training.fit import Recipe
from bdp_assets_tests.fakes.tiny_bundle import tiny_fitted, tiny_rows

WIDTH = len(CATALOG.names)


@pytest.fixture(scope="module")
def ensemble(bundle_folder: Path) -> Ensemble:
    return Ensemble.load(bundle_folder)


def test_the_same_bits_in_batches_of_1_7_2000_and_100000() -> None:
    # 100 deep trees: with single precision or free summation order these batches differ in most rows.
    fitted = tiny_fitted(WIDTH, rows=1_500, recipe=Recipe(jobs=1))
    training = Training(
        name="x", trained_at_ms=0, catalog_version=CATALOG.version, feature_names=CATALOG.names, metrics={}
    )
    ensemble = Ensemble.of(assemble(fitted, make_policy(0.1, 0.9), training))
    rows, _ = tiny_rows(WIDTH, rows=100_000, seed=3)
    all_at_once = ensemble.score(rows)
    assert len(np.unique(all_at_once)) > 10_000
    for size, count in ((1, 500), (7, 1_000), (2_000, 20_000)):
        parts = [ensemble.score(rows[start : start + size]) for start in range(0, count, size)]
        assert np.concatenate(parts)[:count].tobytes() == all_at_once[:count].tobytes()


def test_agrees_with_the_training_library_on_every_row(bundle_folder: Path) -> None:
    fitted = tiny_fitted(WIDTH)
    rows, _ = tiny_rows(WIDTH, rows=5_000, seed=11)
    assert np.abs(Ensemble.load(bundle_folder).score(rows) - fitted.predict(rows)).max() < 2e-6


def test_probabilities_tell_fraud_from_good(ensemble: Ensemble) -> None:
    rows, fraud = tiny_rows(WIDTH, rows=5_000, seed=11)
    probability = ensemble.score(rows)
    assert probability.min() >= 0
    assert probability.max() <= 1
    assert probability[fraud].mean() > 5 * probability[~fraud].mean()


def test_the_order_of_a_matrix_in_memory_changes_nothing(ensemble: Ensemble) -> None:
    rows, _ = tiny_rows(WIDTH, rows=2 * CHUNK_ROWS + 1, seed=4)
    by_columns = np.asfortranarray(rows)
    assert ensemble.score(by_columns).tobytes() == ensemble.score(rows).tobytes()
    assert ensemble.score(by_columns[:9]).tobytes() == ensemble.score(rows)[:9].tobytes()


def test_no_rows_no_scores(ensemble: Ensemble) -> None:
    assert ensemble.score(np.empty((0, WIDTH))).shape == (0,)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
@pytest.mark.parametrize("count", [3, CHUNK_ROWS + 3])
def test_a_value_that_single_precision_can_not_hold_is_refused_by_name(
    ensemble: Ensemble, value: float, count: int
) -> None:
    rows = np.zeros((count, WIDTH))
    rows[1, 4] = value
    with pytest.raises(ValueError, match=CATALOG.names[4]):
        ensemble.score(rows)


def test_another_width_is_refused(ensemble: Ensemble) -> None:
    with pytest.raises(ValueError, match=f"{WIDTH} features"):
        ensemble.score(np.zeros((1, WIDTH + 1)))
