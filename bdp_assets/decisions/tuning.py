"""The policy with the least expected cost for which the reviewers have time."""

from __future__ import annotations

import math

import numpy as np

from bdp_assets.decisions.policy import CostPolicy, Costs, Policy, cost_policy
from bdp_assets.decisions.policy_columns import Doubles, without_review

COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=100)
"""Until somebody says what they are."""


def costs_of(policy: Policy) -> Costs:
    """Those that it was tuned for; a policy of bare thresholds does not say."""
    return policy.costs or COSTS


def cheapest_policy(
    probability: Doubles, amount_minor: Doubles, days: float, costs: Costs = COSTS
) -> CostPolicy:
    """The lowest review price (whole minor units) at which no more is reviewed than there are reviewers for.

    A review saves what approving or declining would cost, whichever is less, and where there are more
    transactions worth a review than time, those should have it where it saves most. A price does exactly
    that. No other decisions on these rows that keep to the capacity cost less in expectation, but for rows
    that save the same, to the minor unit, as the first one left out.

    Args:
        probability: calibrated fraud probability, float64 [n].
        amount_minor: amount in minor units of the base currency, float64 [n].
        days: length of the window that the rows are of, for the capacity.
    """
    saved = np.minimum(*without_review(probability, amount_minor, costs))
    left_out = len(saved) - 1 - int(costs.reviews_per_day * days)
    price = costs.review_minor
    if left_out >= 0:
        price = max(price, math.ceil(np.partition(saved, left_out)[left_out]))
    return cost_policy(price, costs)
