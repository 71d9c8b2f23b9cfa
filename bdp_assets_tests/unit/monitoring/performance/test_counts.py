from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.decisions.policy import Costs
from bdp_assets.decisions.policy_columns import APPROVE, DECLINE, REVIEW, cost_of
from bdp_assets.monitoring.performance.counts import Counts, brier, count
from bdp_assets_tests.effort import cases

ROW = st.tuples(st.sampled_from([APPROVE, REVIEW, DECLINE]), st.booleans(), st.integers(0, 10**9))


@given(rows=st.lists(ROW, max_size=40), review=st.integers(0, 5_000), false_decline=st.integers(0, 9_000))
@settings(max_examples=cases(300))
def test_what_was_lost_and_spent_is_what_the_policy_calls_the_cost(
    rows: list[tuple[int, bool, int]], review: int, false_decline: int
) -> None:
    costs = Costs(review_minor=review, false_decline_minor=false_decline, reviews_per_day=5)
    decided, fraud, amount = (np.array([row[i] for row in rows]) for i in range(3))
    decided, fraud, amount = decided.astype(np.int8), fraud.astype(bool), amount.astype(np.int64)
    found = count(decided, fraud, amount, costs)
    realised = cost_of(decided, fraud.astype(float), amount.astype(float), costs).sum()
    assert found.lost_minor + found.spent_minor == realised
    assert found.lost_minor + found.saved_minor == sum(amount for _, is_fraud, amount in rows if is_fraud)


def test_a_share_of_nothing_is_none_and_not_zero() -> None:
    nothing = Counts(3, 0, 0, 0, 0, 0, 0)
    assert (nothing.precision, nothing.recall, nothing.false_positive_rate) == (None, None, 0.0)
    all_fraud = Counts(2, 2, 1, 1, 0, 0, 0)
    assert (all_fraud.precision, all_fraud.recall, all_fraud.false_positive_rate) == (1.0, 0.5, None)


def test_brier() -> None:
    found = brier(np.array([0.1, 0.8, 0.5]), np.array([False, True, False]))
    assert found == pytest.approx((0.01 + 0.04 + 0.25) / 3)
