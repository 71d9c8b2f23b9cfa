"""A tuned policy against every policy and every assignment of decisions that there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.decisions.policy import Costs, Policy, cost_policy, make_policy
from bdp_assets.decisions.policy_columns import DECLINE, REVIEW, cost_of, decide_all
from bdp_assets.decisions.tuning import cheapest_policy

ROWS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40)), max_size=12)
SMALL = st.builds(
    Costs,
    review_minor=st.integers(0, 8),
    false_decline_minor=st.integers(0, 30),
    reviews_per_day=st.integers(0, 4),
)
COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=10)


def columns(rows: list[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in rows], dtype=float), np.array([a for _, a in rows], dtype=float)


def judged(policy: Policy, probability: np.ndarray, amount: np.ndarray, costs: Costs) -> tuple[float, int]:
    """Expected cost, and how many are reviewed."""
    decided = decide_all(policy, probability, amount)
    return float(cost_of(decided, probability, amount, costs).sum()), int((decided == REVIEW).sum())


@given(ROWS, SMALL, st.floats(0, 3))
def test_no_price_within_capacity_is_cheaper(
    rows: list[tuple[float, int]], costs: Costs, days: float
) -> None:
    probability, amount = columns(rows)
    cost, reviews = judged(cheapest_policy(probability, amount, days, costs), probability, amount, costs)
    assert reviews <= costs.reviews_per_day * days
    for price in range(costs.review_minor, 50):
        other, taken = judged(cost_policy(price, costs), probability, amount, costs)
        assert taken > costs.reviews_per_day * days or cost <= other + 1e-9


@given(ROWS, SMALL, st.floats(0, 3))
def test_no_pair_of_thresholds_within_capacity_is_cheaper(
    rows: list[tuple[float, int]], costs: Costs, days: float
) -> None:
    probability, amount = columns(rows)
    policy, room = cheapest_policy(probability, amount, days, costs), int(costs.reviews_per_day * days)
    cost, reviews = judged(policy, probability, amount, costs)
    # Rows that save the same to the minor unit are reviewed together or not at all: then time is left over.
    tied = (room - reviews) * (policy.review_price_minor - costs.review_minor)
    for pair in itertools.combinations_with_replacement([*sorted(probability.tolist()), 1.5], 2):
        other, taken = judged(make_policy(*pair), probability, amount, costs)
        assert taken > room or cost <= other + tied + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_no_decisions_within_capacity_are_cheaper(seed: int) -> None:
    random = np.random.default_rng(seed)
    probability, amount = random.random(7) ** 2, random.integers(100, 20_000, 7).astype(float)
    costs = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=int(random.integers(0, 4)))
    cost, reviews = judged(cheapest_policy(probability, amount, 1.0, costs), probability, amount, costs)
    assert reviews <= costs.reviews_per_day
    best = min(
        float(cost_of(np.array(decided), probability, amount, costs).sum())
        for decided in itertools.product(range(3), repeat=7)
        if decided.count(REVIEW) <= costs.reviews_per_day
    )
    assert cost == pytest.approx(best)


def test_the_dearest_rows_get_the_reviews() -> None:
    probability, amount = np.full(1_000, 0.1), np.arange(1_000) * 20.0
    policy = cheapest_policy(probability, amount, 1.0, COSTS)
    assert np.flatnonzero(decide_all(policy, probability, amount) == REVIEW).tolist() == list(
        range(990, 1_000)
    )
    assert policy.review_price_minor == 1_978


def test_without_reviewers_nothing_is_reviewed() -> None:
    random = np.random.default_rng(0)
    probability, amount = random.random(500), random.integers(100, 20_000, 500).astype(float)
    policy = cheapest_policy(
        probability, amount, 7.0, Costs(review_minor=0, false_decline_minor=3_000, reviews_per_day=0)
    )
    decided = decide_all(policy, probability, amount)
    assert (decided != REVIEW).all()
    assert np.array_equal(decided == DECLINE, (1 - probability) * 3_000 < probability * amount)


def test_where_all_is_good_nothing_is_flagged() -> None:
    probability, amount = np.zeros(100), np.full(100, 1_000_000.0)
    policy = cheapest_policy(probability, amount, 1.0, COSTS)
    assert not decide_all(policy, probability, amount).any()
    assert policy.review_price_minor == COSTS.review_minor


def test_no_rows_leave_a_review_at_its_cost() -> None:
    assert cheapest_policy(np.array([]), np.array([]), 0.0, COSTS) == cost_policy(500, COSTS)
