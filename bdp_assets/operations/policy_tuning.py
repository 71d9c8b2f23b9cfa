"""Tunes the policy of the model that serves, without training: for other costs, or on newer transactions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import Registry
from bdp_assets.decisions.local_policies import Tuning
from bdp_assets.decisions.policy import CostPolicy, Costs, Policy
from bdp_assets.decisions.tuning import cheapest_policy, costs_of
from bdp_assets.features.catalog import AMOUNT
from bdp_assets.operations.policies import ServingModel, serving_model
from bdp_assets.operations.policy_figures import Comparison, compare
from bdp_assets.operations.policy_history import PROBABILITY, History, scored_history
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.policy_release import release_policy

SERVING, TUNED = "serving", "tuned"


class ModelReplaced(Exception):  # noqa: N818 - reads as what it is
    """Another model came to serve while a policy was tuned for the one before: nothing is changed."""


def tune_policy(
    settings: Settings, costs: Mapping[str, int | None], days: int, *, dry_run: bool = False
) -> Comparison:
    """Tune a policy on matured transactions that the model did not learn from, and let it serve.

    Args:
        costs: by the names of `Costs`; one that is None stays as the policy that serves has it.
        days: how many are looked at, the last ones whose labels are due.

    Returns:
        the policy that served and the tuned one, at the new costs.

    Raises:
        BundleError, TableMissing, NothingToTest, RegistryUnavailable, VersionMissing, ModelReplaced: nothing
            was changed.
    """
    model = serving_model(settings)
    serving = model.policies.serving()
    said = {name: cost for name, cost in costs.items() if cost is not None}
    wanted = msgspec.structs.replace(costs_of(serving), **said)
    history = model_history(settings, model, days)
    tuned = tuned_on(history, wanted)
    comparison = compare(model.bundle.info.version, history, wanted, {SERVING: serving, TUNED: tuned})
    if not dry_run and tuned != serving:
        _release(settings, model, tuned, history)
    return comparison


def tuned_on(history: History, costs: Costs) -> CostPolicy:
    probability, amount = (history.rows[name].to_numpy() for name in (PROBABILITY, AMOUNT))
    return cheapest_policy(probability, amount.astype(float), history.days, costs)


def model_history(settings: Settings, model: ServingModel, days: int) -> History:
    """What the model's policies are judged by, from this installation's lake. Raises as `scored_history`."""
    delay = timedelta(days=settings.label_delay_days)
    return scored_history(Lake.of(settings), Ensemble.of(model.bundle), delay, days)


def _release(settings: Settings, model: ServingModel, policy: Policy, history: History) -> None:
    info = model.bundle.info
    tuning = Tuning(
        model_digest=info.digest,
        tuned_at_ms=time.time_ns() // 1_000_000,
        first=history.first,
        last=history.last,
        transactions=len(history.rows),
        frauds=history.frauds,
    )
    with LocalBundles(settings.models_dir).alone():
        serving = serving_model(settings).bundle.info
        if serving.digest != info.digest:
            raise ModelReplaced(
                f"Model {serving.version} came to serve while this policy was tuned for {info.version}: "
                "nothing is changed. Tune again (`bdp policy tune`)."
            )
        release_policy(Registry.of(settings), model.policies, info, policy, tuning)
