from __future__ import annotations

import itertools

import numpy as np
import pytest

from bdp_assets.decisions.policy import Costs
from bdp_assets.training.thresholds import cheapest_policy

COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=10)


def expected_cost(probability: np.ndarray, amount: np.ndarray, review: float, decline: float) -> float:
    """Plain sum over transactions."""
    total = 0.0
    for p, minor in zip(probability, amount, strict=True):
        if p >= decline:
            total += (1 - p) * COSTS.false_decline_minor
        elif p >= review:
            total += COSTS.review_minor
        else:
            total += p * minor
    return total


@pytest.mark.parametrize("seed", range(5))
def test_no_pair_of_thresholds_within_capacity_is_cheaper(seed: int) -> None:
    random = np.random.default_rng(seed)
    probability, amount = random.random(60) ** 2, random.integers(100, 20_000, 60).astype(float)
    policy = cheapest_policy(probability, amount, 2.0, COSTS)

    def allowed(review: float, decline: float) -> bool:
        return int(((probability >= review) & (probability < decline)).sum()) <= 20

    pairs = itertools.combinations_with_replacement([*np.sort(probability), 1.1], 2)
    best = min(expected_cost(probability, amount, *pair) for pair in pairs if allowed(*pair))
    assert allowed(policy.review_at, policy.decline_at)
    assert expected_cost(probability, amount, policy.review_at, policy.decline_at) == pytest.approx(best)


def test_capacity_narrows_the_review_band() -> None:
    probability = np.linspace(0, 0.6, 1_000)
    amount = np.full(1_000, 10_000.0)
    policy = cheapest_policy(probability, amount, 1.0, COSTS)
    assert ((probability >= policy.review_at) & (probability < policy.decline_at)).sum() <= 10


def test_where_declining_never_pays_nothing_is_declined() -> None:
    policy = cheapest_policy(np.full(100, 0.02), np.full(100, 1_000.0), 1.0, COSTS)
    assert policy.decline_at > 1
