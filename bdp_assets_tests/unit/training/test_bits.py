"""Scores that depend on the rows beside them are found, whatever size of batch they need for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.training.bits import BATCHES, differing
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows

MATRIX = np.random.default_rng(5).random((30, 4))


class Leaning:
    """Scores that move by one unit in the last place in batches of a size."""

    def __init__(self, size: int) -> None:
        self.size = size

    def score(self, matrix: np.ndarray) -> np.ndarray:
        scores = matrix.mean(axis=1)
        return np.nextafter(scores, 1.0) if len(matrix) == self.size else scores


def test_the_ensemble_is_the_same_in_every_batch(tmp_path: Path) -> None:
    ensemble = Ensemble.load(tiny_bundle(tmp_path))
    matrix, _ = tiny_rows(len(CATALOG.names), rows=300, seed=4)
    assert differing(ensemble, matrix) == {1: 0, 7: 0, 2_000: 0, 100_000: 0}


@pytest.mark.parametrize(("size", "rows"), [(1, 30), (7, 28), (2_000, 2_000), (100_000, 100_000)])
def test_one_unit_in_the_last_place_is_found(size: int, rows: int) -> None:
    assert differing(Leaning(size), MATRIX) == {**dict.fromkeys(BATCHES, 0), size: rows}


def test_of_more_rows_than_asked_for_those_are_taken_that_lie_far_and_wide() -> None:
    class Last:
        def score(self, matrix: np.ndarray) -> np.ndarray:
            scores = matrix.mean(axis=1)
            return (
                scores if len(matrix) == len(MATRIX) else np.where(scores == MATRIX[-1].mean(), -1.0, scores)
            )

    assert differing(Last(), MATRIX, {1: 4, 2: 30}) == {1: 1, 2: 1}
