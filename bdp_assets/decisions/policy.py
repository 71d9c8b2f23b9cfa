"""From probability to decision: thresholds that a bundle carries as policy.json."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bdp_assets.contracts.records import Decision, Reason
from bdp_assets.scoring.bundle import POLICY, RETRAIN, Bundle, BundleError

FLAGGED = "score_at_"
"""Begins the code of the policy's reason where it does not approve."""


class Costs(Struct, frozen=True, kw_only=True):
    """What the thresholds were tuned for; money in minor units of the base currency."""

    review_minor: int
    """One analyst's review."""
    false_decline_minor: int
    """One good customer declined."""
    reviews_per_day: int
    """Capacity: the review band is no wider."""


class Policy(Struct, frozen=True, kw_only=True):
    """Probability from which a transaction is reviewed or declined; 0 <= review_at <= decline_at."""

    review_at: float
    decline_at: float
    version: str
    costs: Costs | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.review_at <= self.decline_at:
            raise ValueError("a policy needs 0 <= review_at <= decline_at")


def make_policy(review_at: float, decline_at: float, costs: Costs | None = None) -> Policy:
    """A policy whose version (12 hex characters) is the digest of what it says."""
    content = msgspec.json.encode((review_at, decline_at, costs))
    version = hashlib.sha256(content).hexdigest()[:12]
    return Policy(review_at=review_at, decline_at=decline_at, version=version, costs=costs)


def encode_policy(policy: Policy) -> bytes:
    return msgspec.json.format(msgspec.json.encode(policy), indent=1)


def policy_of(bundle: Bundle) -> Policy:
    """The bundle's policy. Raises BundleError when it has none or it is not valid."""
    try:
        return msgspec.json.decode(bundle.file(POLICY), type=Policy)
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
    if probability >= policy.decline_at:
        return Decision.DECLINE, [
            _statement(Decision.DECLINE, probability, policy.decline_at, amount_base_minor)
        ]
    if probability >= policy.review_at:
        return Decision.REVIEW, [
            _statement(Decision.REVIEW, probability, policy.review_at, amount_base_minor)
        ]
    threshold = _share(policy.review_at)
    text = f"The fraud probability of {_share(probability)} is below the review threshold of {threshold}."
    return Decision.APPROVE, [Reason("score_below_review", text)]


def decisions_of(policy: Policy, probabilities: NDArray[np.float64]) -> list[str]:
    """What `decide` decides for each of many probabilities."""
    ascending = (Decision.APPROVE.value, Decision.REVIEW.value, Decision.DECLINE.value)
    reached = np.searchsorted([policy.review_at, policy.decline_at], probabilities, side="right")
    return np.array(ascending, dtype=object)[reached].tolist()  # type: ignore[no-any-return]


def _statement(decision: Decision, probability: float, threshold: float, amount_base_minor: int) -> Reason:
    at_risk = round(probability * amount_base_minor) / 100
    return Reason(
        f"{FLAGGED}{decision.value}",
        f"The fraud probability of {_share(probability)} is at or above the {decision.value} threshold of "
        f"{_share(threshold)}; the expected loss is {at_risk:.2f}.",
    )


def _share(probability: float) -> str:
    return f"{probability:.2%}"
