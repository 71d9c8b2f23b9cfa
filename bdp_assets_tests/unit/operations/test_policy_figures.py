"""A policy's figures are those of reading the transactions one by one."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.policy import Costs, Policy, decide
from bdp_assets.operations.policy_figures import compare, figures
from bdp_assets.operations.policy_history import History
from bdp_assets_tests.unit.decisions.test_policy import PRICES, THRESHOLDS

COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=2)
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 20_000), st.floats(0, 1), st.booleans()),
    min_size=1,
    max_size=30,
)
START = date(2026, 3, 1)


def history(rows: list[tuple[int, int, float, bool]]) -> History:
    days, amounts, probabilities, frauds = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {
            "event_date": [START + timedelta(days=day) for day in days],
            "amount_base_minor": pl.Series(amounts, dtype=pl.Int64),
            "probability": probabilities,
            "is_fraud": frauds,
        }
    )
    return History(frame)


def naively(policy: Policy, rows: list[tuple[int, int, float, bool]]) -> dict[int, dict[str, Any]]:
    """By day."""
    days: dict[int, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    for day, amount, probability, fraud in rows:
        told, (decision, _) = days[day], decide(policy, probability, amount)
        told["transactions"] += 1
        told["frauds"] += fraud
        told["reviews"] += decision is Decision.REVIEW
        told["declines"] += decision is Decision.DECLINE
        told["frauds_caught"] += fraud and decision is not Decision.APPROVE
        told["false_declines"] += not fraud and decision is Decision.DECLINE
        told["expected_cost_minor"] += {
            Decision.APPROVE: probability * amount,
            Decision.REVIEW: 500,
            Decision.DECLINE: (1 - probability) * 3_000,
        }[decision]
        told["realised_cost_minor"] += {
            Decision.APPROVE: amount if fraud else 0,
            Decision.REVIEW: 500,
            Decision.DECLINE: 0 if fraud else 3_000,
        }[decision]
    return days


@given(THRESHOLDS | PRICES, ROWS)
def test_figures_are_those_of_a_naive_reader(
    policy: Policy, rows: list[tuple[int, int, float, bool]]
) -> None:
    found, days = figures(policy, history(rows), COSTS), naively(policy, rows)
    assert [one.day for one in found.by_day] == [START + timedelta(days=day) for day in sorted(days)]
    for one, told in zip(found.by_day, (days[day] for day in sorted(days)), strict=True):
        for name, value in told.items():
            assert getattr(one, name) == pytest.approx(value)

    def total(name: str) -> float:
        return sum(told[name] for told in days.values())

    assert found.expected_cost_minor * len(days) == pytest.approx(total("expected_cost_minor"))
    assert found.realised_cost_minor * len(days) == pytest.approx(total("realised_cost_minor"))
    assert found.reviews_per_day * len(days) == pytest.approx(total("reviews"))
    assert found.declines_per_day * len(days) == pytest.approx(total("declines"))
    assert (found.frauds_caught, found.false_declines) == (total("frauds_caught"), total("false_declines"))
    for decision, one in zip(Decision, found.decisions, strict=True):
        own = [row for row in rows if decide(policy, row[2], row[1])[0] is decision]
        assert (one.decision, one.transactions) == (decision.value, len(own))
        assert one.amount_minor == sum(row[1] for row in own)
        assert one.frauds == sum(row[3] for row in own)
        assert one.fraud_amount_minor == sum(row[1] for row in own if row[3])
    assert found.fraud_amount_caught_minor == sum(one.fraud_amount_minor for one in found.decisions[1:])


@given(THRESHOLDS, PRICES, ROWS)
def test_policies_are_compared_on_the_same_transactions(
    one: Policy, other: Policy, rows: list[tuple[int, int, float, bool]]
) -> None:
    found = compare("3", history(rows), COSTS, {"serving": one, "candidate": other})
    assert {name: policy.version for name, policy in found.policies.items()} == {
        "serving": one.version,
        "candidate": other.version,
    }
    assert (found.transactions, found.frauds) == (len(rows), sum(row[3] for row in rows))
    assert found.fraud_amount_minor == sum(row[1] for row in rows if row[3])
    assert (found.days, found.costs) == (len({row[0] for row in rows}), COSTS)
