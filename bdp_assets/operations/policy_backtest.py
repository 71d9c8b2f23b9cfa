"""Back-tests policies: what one would have done, beside the one that serves."""

from __future__ import annotations

from bdp_assets.decisions.policy import Policy, make_policy
from bdp_assets.decisions.tuning import costs_of
from bdp_assets.operations.policies import ServingModel, serving_model
from bdp_assets.operations.policy_figures import Comparison, compare
from bdp_assets.operations.policy_tuning import SERVING, model_history
from bdp_assets.settings import Settings

CANDIDATE = "candidate"
Candidate = str | tuple[float, float] | None
"""A kept policy's version, or the thresholds of one that is not kept."""


class UnclearCandidate(ValueError):  # noqa: N818 - reads as what it is
    """What was asked for is no policy; the message says what to ask for."""


def candidate(version: str | None, review_at: float | None, decline_at: float | None) -> Candidate:
    """What was asked for; None: only the policy that serves. Raises UnclearCandidate."""
    if (review_at is None) != (decline_at is None) or (version and review_at is not None):
        raise UnclearCandidate("name --policy VERSION, or --review-at and --decline-at together, or nothing")
    if review_at is None or decline_at is None:
        return version
    if not review_at <= decline_at:
        raise UnclearCandidate("--review-at can not be above --decline-at: what is worse is declined")
    return review_at, decline_at


def backtest_policy(settings: Settings, wanted: Candidate, days: int) -> Comparison:
    """The policy that serves on this machine, and a candidate beside it.

    Both are judged at the costs of the one that serves. Raises BundleError, TableMissing, NothingToTest.
    """
    model = serving_model(settings)
    serving = model.policies.serving()
    policies = {SERVING: serving}
    if wanted is not None:
        policies[CANDIDATE] = _policy(model, wanted)
    history = model_history(settings, model, days)
    return compare(model.bundle.info.version, history, costs_of(serving), policies)


def _policy(model: ServingModel, wanted: str | tuple[float, float]) -> Policy:
    return model.policies.kept(wanted).policy if isinstance(wanted, str) else make_policy(*wanted)
