from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.policy import Costs, Policy, decide
from bdp_assets.decisions.policy_columns import cost_of, decide_all
from bdp_assets_tests.unit.decisions.test_policy import AMOUNT, PRICES, SHARE, THRESHOLDS

COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=1)


@given(THRESHOLDS | PRICES, st.lists(st.tuples(SHARE, AMOUNT)))
def test_columns_are_decided_as_their_rows_are(policy: Policy, rows: list[tuple[float, int]]) -> None:
    probability, amount = np.array([p for p, _ in rows]), np.array([float(a) for _, a in rows])
    decided = decide_all(policy, probability, amount)
    assert [list(Decision)[position] for position in decided] == [decide(policy, *row)[0] for row in rows]


def test_what_decisions_cost_expected_and_realised() -> None:
    decided = np.array([0, 0, 1, 1, 2, 2], dtype=np.int8)
    amount = np.full(6, 10_000.0)
    expected = cost_of(decided, np.full(6, 0.25), amount, COSTS)
    assert expected.tolist() == [2_500, 2_500, 500, 500, 2_250, 2_250]
    realised = cost_of(decided, np.array([0.0, 1.0] * 3), amount, COSTS)
    assert realised.tolist() == [0, 10_000, 500, 500, 3_000, 0]
