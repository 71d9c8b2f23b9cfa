"""Figures by how often a row counts are those of rows that are there so often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from bdp_assets.training.evaluate import calibration_error
from bdp_assets.training.weighted import Calibration, DailyCost, Ranking

ROW = st.tuples(st.integers(0, 10), st.booleans(), st.integers(0, 3))


@given(st.lists(ROW, min_size=1, max_size=40))
def test_a_row_counts_as_often_as_it_is_there(rows: list[tuple[int, bool, int]]) -> None:
    # Few different probabilities, so that many rows are tied.
    probability = np.array([row[0] / 10 for row in rows])
    fraud, times = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    there, known = np.repeat(probability, times), np.repeat(fraud, times)
    counted, ranking = times.astype(float), Ranking(probability, fraud)
    if len(there):
        error = Calibration(probability, fraud).error(counted)
        assert error == pytest.approx(calibration_error(there, known), abs=1e-12)
    if not known.any():
        assert ranking.average_precision(counted) == 0.0
        return
    assert ranking.average_precision(counted) == pytest.approx(average_precision_score(known, there))
    area = 0.0 if known.all() else roc_auc_score(known, there)
    assert ranking.auc(counted) == pytest.approx(area)


def test_true_probabilities_err_by_chance_alone() -> None:
    random = np.random.default_rng(0)
    probability = random.random(5_000) ** 4
    once = np.ones(5_000)
    drawn = [Calibration(probability, random.random(5_000) < probability) for _ in range(200)]
    assert np.mean([one.error(once) for one in drawn]) == pytest.approx(drawn[0].by_chance(), rel=0.05)


def test_a_days_cost_is_the_mean_of_the_days() -> None:
    cost = DailyCost(np.array([100.0, 0.0, 50.0]), days=2)
    assert cost(np.ones(3)) == 75.0
    assert cost(np.array([0.0, 5.0, 2.0])) == 50.0
