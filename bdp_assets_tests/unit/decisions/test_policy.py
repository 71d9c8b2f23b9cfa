from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.policy import Policy, decide, decisions_of, make_policy

SHARE = st.floats(0, 1)
AMOUNT = st.integers(0, 10**12)
ORDER = [Decision.APPROVE, Decision.REVIEW, Decision.DECLINE]


@given(st.tuples(SHARE, SHARE).map(sorted), st.tuples(SHARE, SHARE).map(sorted), AMOUNT)
def test_a_higher_probability_is_never_decided_more_mildly(
    thresholds: list[float], probabilities: list[float], amount: int
) -> None:
    policy = make_policy(*thresholds)
    mild, strict = (ORDER.index(decide(policy, p, amount)[0]) for p in probabilities)
    assert mild <= strict


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


@given(st.tuples(SHARE, SHARE).map(sorted), st.lists(SHARE, max_size=9), AMOUNT)
def test_many_are_decided_as_each_alone(
    thresholds: list[float], probabilities: list[float], amount: int
) -> None:
    policy = make_policy(*thresholds)
    asked = [*probabilities, *thresholds]
    each = [decide(policy, probability, amount)[0].value for probability in asked]
    assert decisions_of(policy, np.array(asked)) == each


def test_a_policy_says_what_it_compares() -> None:
    _, (reason,) = decide(make_policy(0.1, 0.8), 0.25, 40_000)
    assert "25.00%" in reason.text
    assert "10.00%" in reason.text
    assert "100.00" in reason.text


def test_the_version_is_a_digest_of_the_content() -> None:
    assert make_policy(0.1, 0.8) == make_policy(0.1, 0.8)
    assert make_policy(0.1, 0.8).version != make_policy(0.1, 0.9).version


@pytest.mark.parametrize(("review", "decline"), [(0.5, 0.4), (-0.1, 0.4), (float("nan"), 0.4)])
def test_thresholds_out_of_order_are_refused(review: float, decline: float) -> None:
    with pytest.raises(ValueError, match="review_at"):
        Policy(review_at=review, decline_at=decline, version="x")
