from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.policy import (
    CostPolicy,
    Costs,
    Policy,
    ThresholdPolicy,
    cost_policy,
    decide,
    digest_of,
    encode_policy,
    make_policy,
    policy_from,
)

SHARE = st.floats(0, 1)
AMOUNT = st.integers(0, 10**12)
MINOR = st.integers(0, 10**6)
ORDER = list(Decision)
COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=100)
BY_COST = cost_policy(800, COSTS)

THRESHOLDS = st.tuples(SHARE, SHARE).map(sorted).map(lambda pair: make_policy(*pair))
PRICES = st.builds(
    lambda review, more, decline: cost_policy(
        review + more, Costs(review_minor=review, false_decline_minor=decline, reviews_per_day=1)
    ),
    *(MINOR, MINOR, MINOR),
)


@given(THRESHOLDS | PRICES, st.tuples(SHARE, SHARE).map(sorted), AMOUNT)
def test_a_higher_probability_is_never_decided_more_mildly(
    policy: Policy, probabilities: list[float], amount: int
) -> None:
    mild, strict = (ORDER.index(decide(policy, p, amount)[0]) for p in probabilities)
    assert mild <= strict


@given(PRICES, SHARE, st.tuples(AMOUNT, AMOUNT).map(sorted))
def test_a_larger_amount_is_never_approved_where_a_smaller_one_is_not(
    policy: CostPolicy, probability: float, amounts: list[int]
) -> None:
    small, large = (decide(policy, probability, amount)[0] for amount in amounts)
    assert small is Decision.APPROVE or large is small


@given(PRICES, SHARE, AMOUNT)
def test_nothing_costs_less_than_what_is_decided(policy: CostPolicy, probability: float, amount: int) -> None:
    costs = {
        Decision.APPROVE: probability * amount,
        Decision.REVIEW: policy.review_price_minor,
        Decision.DECLINE: (1 - probability) * policy.costs.false_decline_minor,
    }
    decision, (reason,) = decide(policy, probability, amount)
    assert costs[decision] == min(costs.values())
    assert reason.code == f"expected_cost_{decision.value}"
    # A review that saves nothing is not asked for.
    assert decision is not Decision.REVIEW or list(costs.values()).count(costs[decision]) == 1


@pytest.mark.parametrize(
    ("probability", "decision", "code"),
    [
        (0.0, Decision.APPROVE, "score_below_review"),
        (0.0999, Decision.APPROVE, "score_below_review"),
        (0.1, Decision.REVIEW, "score_at_review"),
        (0.8, Decision.DECLINE, "score_at_decline"),
        (1.0, Decision.DECLINE, "score_at_decline"),
    ],
)
def test_thresholds_belong_to_the_stricter_side(probability: float, decision: Decision, code: str) -> None:
    decided, reasons = decide(make_policy(0.1, 0.8), probability, 1000)
    assert (decided, [reason.code for reason in reasons]) == (decision, [code])


@pytest.mark.parametrize(
    ("probability", "amount", "decision"),
    [
        (0.10, 8_000, Decision.APPROVE),  # 8.00 at risk, as much as a review counts
        (0.10, 8_001, Decision.REVIEW),
        (0.90, 400, Decision.DECLINE),  # 3.60 at risk, 3.00 for a decline
        (0.90, 300, Decision.APPROVE),  # 2.70 at risk
        (0.73, 10_000, Decision.REVIEW),  # 8.10 for a decline
        (0.74, 10_000, Decision.DECLINE),
        (1.00, 0, Decision.APPROVE),  # nothing to lose
    ],
)
def test_costs_are_compared_in_money(probability: float, amount: int, decision: Decision) -> None:
    assert decide(BY_COST, probability, amount)[0] is decision


def test_a_policy_says_what_it_compares() -> None:
    _, (reason,) = decide(make_policy(0.1, 0.8), 0.25, 40_000)
    assert "25.00%" in reason.text
    assert "10.00%" in reason.text
    assert "100.00" in reason.text
    _, (reason,) = decide(BY_COST, 0.25, 40_000)
    assert reason.text == (
        "At a fraud probability of 25.00%, approving is expected to cost 100.00, declining 22.50, "
        "and a review counts 8.00: the least is to review."
    )


@given(PRICES, SHARE, AMOUNT)
def test_costs_are_told_to_the_cent(policy: CostPolicy, probability: float, amount: int) -> None:
    decision, (reason,) = decide(policy, probability, amount)
    good = (1.0 - probability) * policy.costs.false_decline_minor
    costs = (probability * amount, good, policy.review_price_minor)
    approving, declining, review = (f"{round(cost) / 100:.2f}" for cost in costs)
    assert reason.text == (
        f"At a fraud probability of {probability:.2%}, approving is expected to cost {approving}, "
        f"declining {declining}, and a review counts {review}: the least is to {decision.value}."
    )


def test_the_version_is_a_digest_of_the_content() -> None:
    assert make_policy(0.1, 0.8) == make_policy(0.1, 0.8)
    assert make_policy(0.1, 0.8).version != make_policy(0.1, 0.9).version
    assert cost_policy(800, COSTS) == BY_COST
    others = [cost_policy(801, COSTS), cost_policy(800, msgspec.structs.replace(COSTS, reviews_per_day=99))]
    assert len({one.version for one in (BY_COST, *others)}) == 3


@given(THRESHOLDS | PRICES)
def test_a_document_is_the_policy_again(policy: Policy) -> None:
    assert policy_from(msgspec.json.decode(encode_policy(policy))) == policy
    assert digest_of(policy) == policy.version


def test_a_document_of_before_the_costs_decided_is_read() -> None:
    document = b"""{
      "review_at": 0.0963083785702408, "decline_at": 0.8338286830625461, "version": "8e0a07146359",
      "costs": {"review_minor": 500, "false_decline_minor": 3000, "reviews_per_day": 100}
    }"""
    policy = policy_from(msgspec.json.decode(document))
    assert policy == make_policy(0.0963083785702408, 0.8338286830625461, COSTS)
    assert decide(policy, 0.5, 1)[0] is Decision.REVIEW


@pytest.mark.parametrize(("review", "decline"), [(0.5, 0.4), (-0.1, 0.4), (float("nan"), 0.4)])
def test_thresholds_out_of_order_are_refused(review: float, decline: float) -> None:
    with pytest.raises(ValueError, match="review_at"):
        ThresholdPolicy(review_at=review, decline_at=decline, version="x")


def test_a_price_below_the_cost_of_a_review_is_refused() -> None:
    with pytest.raises(ValueError, match="review price"):
        cost_policy(499, COSTS)
