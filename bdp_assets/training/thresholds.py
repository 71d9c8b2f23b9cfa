"""Thresholds of the policy by expected cost on held-out rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs, Policy, make_policy

Doubles = NDArray[np.float64]
COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=100)
CANDIDATES = 400


def cheapest_policy(probability: Doubles, amount_minor: Doubles, days: float, costs: Costs = COSTS) -> Policy:
    """The thresholds with the least expected cost whose review band keeps to the reviewers' capacity.

    Approving costs the amount at risk times its fraud probability, a review the analyst's time, declining a
    lost good customer times the probability of being good. A review is taken to find the truth.

    Args:
        probability: calibrated fraud probability, float64 [n].
        amount_minor: amount in minor units of the base currency, float64 [n].
        days: length of the held-out window, for the capacity.
    """
    order = np.argsort(probability, kind="stable")
    p, at_risk = probability[order], probability[order] * amount_minor[order]
    cuts = _candidates(p)
    first = np.searchsorted(p, cuts, side="left")
    approved_below = np.concatenate([[0.0], np.cumsum(at_risk)])[first]
    declined_from = (np.concatenate([[0.0], np.cumsum((1.0 - p)[::-1])])[::-1] * costs.false_decline_minor)[
        first
    ]
    reviewed = first[None, :] - first[:, None]
    cost = approved_below[:, None] + costs.review_minor * reviewed + declined_from[None, :]
    allowed = (reviewed >= 0) & (reviewed <= costs.reviews_per_day * days)
    review, decline = np.unravel_index(np.argmin(np.where(allowed, cost, np.inf)), cost.shape)
    return make_policy(float(cuts[review]), float(cuts[decline]), costs)


def _candidates(ascending: Doubles) -> Doubles:
    """Thresholds to try: probabilities that occur, denser at the top; the last one is above all of them."""
    n = len(ascending)
    ranks = n - np.unique(np.geomspace(1, n, CANDIDATES).astype(np.int64))
    return np.append(np.unique(ascending[ranks]), np.nextafter(max(1.0, ascending[-1]), 2.0))
