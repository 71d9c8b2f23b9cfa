"""From probability to decision: the policy that a bundle carries as policy.json, or one that was tuned since.

Policies are of two forms: a `CostPolicy` compares what each decision is expected to cost, a `ThresholdPolicy`
the probability with two thresholds.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from bdp_assets.contracts.records import Decision, Reason
from bdp_assets.scoring.bundle import POLICY, RETRAIN, Bundle, BundleError

SCORE_AT, COST = "score_at_", "expected_cost_"
FLAGGED = tuple(f"{form}{decision.value}" for form in (SCORE_AT, COST) for decision in list(Decision)[1:])
"""Codes of the policy's reason where it does not approve."""


class Costs(Struct, frozen=True, kw_only=True):
    """What a policy was tuned for; money in minor units of the base currency."""

    review_minor: int
    """One analyst's review."""
    false_decline_minor: int
    """One good customer declined."""
    reviews_per_day: int
    """Capacity: on the days it was tuned on, no more are reviewed."""


class ThresholdPolicy(Struct, frozen=True, kw_only=True):
    """Probability from which a transaction is reviewed or declined; 0 <= review_at <= decline_at."""

    review_at: float
    decline_at: float
    version: str
    costs: Costs | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.review_at <= self.decline_at:
            raise ValueError("a policy needs 0 <= review_at <= decline_at")

    @property
    def content(self) -> tuple[object, ...]:
        """What its version is a digest of."""
        return self.review_at, self.decline_at, self.costs

    @property
    def says(self) -> str:
        return f"review at {_share(self.review_at)}, decline at {_share(self.decline_at)} and above"


class CostPolicy(Struct, frozen=True, kw_only=True):
    """Whatever is expected to cost least: the amount at risk, a review, or a good customer declined.

    `review_price_minor` is what a review costs, or more: then only those pay for which reviewers have time.
    """

    review_price_minor: int
    version: str
    costs: Costs

    def __post_init__(self) -> None:
        if not 0 <= self.costs.review_minor <= self.review_price_minor:
            raise ValueError("a policy's review price is no less than the cost of a review")

    @property
    def content(self) -> tuple[object, ...]:
        """What its version is a digest of."""
        return "least expected cost", self.review_price_minor, self.costs

    @property
    def says(self) -> str:
        return (
            f"the least expected cost: amount x probability, a review at {_money(self.review_price_minor)}, "
            f"or (1 - probability) x {_money(self.costs.false_decline_minor)} for a decline"
        )


Policy: TypeAlias = ThresholdPolicy | CostPolicy


def make_policy(review_at: float, decline_at: float, costs: Costs | None = None) -> ThresholdPolicy:
    """A policy of thresholds; its version (12 hex characters) is the digest of what it says."""
    draft = ThresholdPolicy(review_at=review_at, decline_at=decline_at, version="", costs=costs)
    return msgspec.structs.replace(draft, version=digest_of(draft))


def cost_policy(review_price_minor: int, costs: Costs) -> CostPolicy:
    """A policy of expected costs; its version is the digest of what it says."""
    draft = CostPolicy(review_price_minor=review_price_minor, version="", costs=costs)
    return msgspec.structs.replace(draft, version=digest_of(draft))


def digest_of(policy: Policy) -> str:
    """12 hex characters of what a policy decides by; its version, unless it was changed."""
    return hashlib.sha256(msgspec.json.encode(policy.content)).hexdigest()[:12]


def encode_policy(policy: Policy) -> bytes:
    return msgspec.json.format(msgspec.json.encode(policy), indent=1)


def policy_from(fields: dict[str, Any]) -> Policy:
    """The policy that decoded JSON is. Raises msgspec.ValidationError."""
    form: type[Policy] = CostPolicy if "review_price_minor" in fields else ThresholdPolicy
    return msgspec.convert(fields, form)


def policy_of(bundle: Bundle) -> Policy:
    """The bundle's policy. Raises BundleError when it has none or it is not valid."""
    try:
        return policy_from(msgspec.json.decode(bundle.file(POLICY), type=dict[str, Any]))
    except msgspec.MsgspecError as error:
        raise BundleError(
            f"{POLICY} of model {bundle.info.version} is not valid ({error}). {RETRAIN}"
        ) from error


def decide(policy: Policy, probability: float, amount_base_minor: int) -> tuple[Decision, list[Reason]]:
    """Decide one transaction; a function of its arguments alone.

    Args:
        probability: calibrated fraud probability in [0, 1].
        amount_base_minor: amount at risk in minor units of the base currency.

    Returns:
        the decision and the policy's own statement of it.
    """
    if isinstance(policy, CostPolicy):
        return _by_cost(policy, probability, amount_base_minor)
    return _by_thresholds(policy, probability, amount_base_minor)


def _by_cost(policy: CostPolicy, probability: float, amount_minor: int) -> tuple[Decision, list[Reason]]:
    """Of equals, approving comes before declining: a review has to save something."""
    approving = probability * amount_minor
    declining = (1.0 - probability) * policy.costs.false_decline_minor
    if policy.review_price_minor < min(approving, declining):
        decision = Decision.REVIEW
    else:
        decision = Decision.APPROVE if approving <= declining else Decision.DECLINE
    text = (
        f"At a fraud probability of {_share(probability)}, approving is expected to cost "
        f"{_money(approving)}, declining {_money(declining)}, and a review counts "
        f"{_money(policy.review_price_minor)}: the least is to {decision.value}."
    )
    return decision, [Reason(f"{COST}{decision.value}", text)]


def _by_thresholds(
    policy: ThresholdPolicy, probability: float, amount_minor: int
) -> tuple[Decision, list[Reason]]:
    if probability >= policy.decline_at:
        return Decision.DECLINE, [_flag(Decision.DECLINE, probability, policy.decline_at, amount_minor)]
    if probability >= policy.review_at:
        return Decision.REVIEW, [_flag(Decision.REVIEW, probability, policy.review_at, amount_minor)]
    threshold = _share(policy.review_at)
    text = f"The fraud probability of {_share(probability)} is below the review threshold of {threshold}."
    return Decision.APPROVE, [Reason("score_below_review", text)]


def _flag(decision: Decision, probability: float, threshold: float, amount_minor: int) -> Reason:
    return Reason(
        f"{SCORE_AT}{decision.value}",
        f"The fraud probability of {_share(probability)} is at or above the {decision.value} threshold of "
        f"{_share(threshold)}; the expected loss is {_money(probability * amount_minor)}.",
    )


def _share(probability: float) -> str:
    return f"{probability:.2%}"


def _money(minor: float) -> str:
    return f"{round(minor) / 100:.2f}"
