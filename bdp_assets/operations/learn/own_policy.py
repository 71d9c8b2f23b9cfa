"""Lesson 6: a policy that was tuned by hand, for the learner's costs, serves."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.operations.policies import BY_HAND, show_policy
from bdp_assets.settings import Settings

REVIEW_MINOR, REVIEWS = 800, 40


def look(settings: Settings) -> Iterator[Missing]:
    """Raises BundleError."""
    shown = show_policy(settings, None)
    costs = shown.policy.costs
    if shown.tuned != BY_HAND:
        yield Missing("The policy that came with the model serves, not one of yours.", 3)
    elif costs is None or (costs.review_minor, costs.reviews_per_day) != (REVIEW_MINOR, REVIEWS):
        yield Missing("The policy that serves is for other costs: 8.00 a review, 40 a day.", 3)
