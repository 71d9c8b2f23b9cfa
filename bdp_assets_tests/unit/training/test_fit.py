from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.scoring.tables import PiecewiseLinear
from bdp_assets.training.fit import anomaly_table, anomaly_weight, calibration_table, sample_good


@given(st.integers(2, 300), st.integers(0, 2**32 - 1), st.integers(1, 1000))
def test_calibration_never_ties_two_scores_and_stays_a_probability(rows: int, seed: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(0, levels + 1, rows) / levels
    fraud = random.random(rows) < scores
    fraud[:2] = [True, False]
    calibrated = PiecewiseLinear(calibration_table(scores, fraud))(np.linspace(0, 1, 101))
    assert (np.diff(calibrated) > 0).all()
    assert calibrated[0] >= 0
    assert calibrated[-1] <= 1


def test_calibration_finds_the_true_share() -> None:
    random = np.random.default_rng(0)
    scores = random.random(50_000)
    fraud = random.random(50_000) < scores**2
    calibrated = PiecewiseLinear(calibration_table(scores, fraud))(scores)
    assert np.abs(calibrated - scores**2).mean() < 0.02


def test_anomaly_is_the_share_of_rows_with_longer_paths() -> None:
    lengths = np.random.default_rng(0).normal(8, 1, 20_000)
    table = PiecewiseLinear(anomaly_table(lengths))
    for length in (5.5, 7.0, 8.0, 9.0):
        assert table(np.array([length]))[0] == pytest.approx((lengths > length).mean(), abs=0.02)
    assert table(np.array([0.0, 100.0])).tolist() == [1.0, 0.0]


def test_anomaly_of_rows_that_are_all_alike_is_defined() -> None:
    assert PiecewiseLinear(anomaly_table(np.full(10, 3.0)))(np.array([2.0, 3.0, 9.0])).tolist() == [
        1.0,
        1.0,
        0.0,
    ]


def test_the_weight_follows_which_member_ranks_better() -> None:
    fraud = np.arange(1_000) % 10 == 0
    noise = np.random.default_rng(0).random(1_000)
    knows = np.where(fraud, 0.9, 0.1)
    assert anomaly_weight(np.column_stack([knows, noise]), fraud) == 0.005
    assert anomaly_weight(np.column_stack([noise * 0.1, knows]), fraud) > 0.05


def test_sampling_keeps_every_fraud_and_bounds_the_good() -> None:
    fraud = np.arange(10_000) % 500 == 0
    kept = sample_good(fraud, 30, seed=1)
    assert fraud[kept].sum() == fraud.sum()
    assert len(kept) == 31 * fraud.sum()
    assert (np.diff(kept) > 0).all()
    assert len(sample_good(fraud, 10_000, seed=1)) == 10_000
