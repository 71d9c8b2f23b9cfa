"""A policy on columns: what `decide` says of each row, and what the decisions cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bdp_assets.decisions.policy import CostPolicy, Costs, Policy

Doubles = NDArray[np.float64]
Decisions = NDArray[np.int8]
APPROVE, REVIEW, DECLINE = 0, 1, 2
"""Positions in `Decision`."""


def decide_all(policy: Policy, probability: Doubles, amount_minor: Doubles) -> Decisions:
    """The position in `Decision` of what `decide` says of each row, int8 [n]; arguments are float64 [n]."""
    if isinstance(policy, CostPolicy):
        approving, declining = without_review(probability, amount_minor, policy.costs)
        decided = np.where(approving <= declining, APPROVE, DECLINE)
        decided[policy.review_price_minor < np.minimum(approving, declining)] = REVIEW
    else:
        decided = np.where(probability >= policy.review_at, REVIEW, APPROVE)
        decided[probability >= policy.decline_at] = DECLINE
    return decided.astype(np.int8)


def without_review(probability: Doubles, amount_minor: Doubles, costs: Costs) -> tuple[Doubles, Doubles]:
    """What approving and declining each row is expected to cost."""
    return probability * amount_minor, (1.0 - probability) * costs.false_decline_minor


def cost_of(decided: Decisions, probability: Doubles, amount_minor: Doubles, costs: Costs) -> Doubles:
    """What each row's decision is expected to cost; with 0 and 1 for probability: what it did cost.

    A review costs the analyst's time and is taken to find the truth.
    """
    approving, declining = without_review(probability, amount_minor, costs)
    return np.select(
        [decided == APPROVE, decided == DECLINE], [approving, declining], float(costs.review_minor)
    )
