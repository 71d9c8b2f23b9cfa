"""Lesson 2: two decisions of the learner's, of which a rule stopped one."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.contracts.records import Decision
from bdp_assets.operations.learn.decided import decision
from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.settings import Settings

CUSTOMER, SMALL, LARGE = "C000123", "lesson-2-small", "lesson-2-large"
RULE = "rule:amount_very_high"


def look(settings: Settings) -> Iterator[Missing]:
    """Raises StoreUnavailable."""
    if decision(settings, CUSTOMER, SMALL) is None:
        yield Missing(f"{SMALL} of {CUSTOMER} was not decided.", 1)
    large = decision(settings, CUSTOMER, LARGE)
    if large is None:
        yield Missing(f"{LARGE} of {CUSTOMER} was not decided.", 3)
    elif large.decision is Decision.APPROVE or RULE not in {reason.code for reason in large.reasons}:
        yield Missing(f"{LARGE} was not stopped by {RULE}: its amount has to be 5000 or more.", 3)
