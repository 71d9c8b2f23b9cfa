"""The policies of the model that serves on this machine: which there are, and which of them serves."""

from __future__ import annotations

from dataclasses import dataclass

from bdp_assets.clients.registry import Registry
from bdp_assets.decisions.local_policies import LocalPolicies, Tuning
from bdp_assets.decisions.policy import Policy
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.policy_release import use_policy

TRAINING, BY_HAND = "training", "by hand"


@dataclass(frozen=True)
class ServingModel:
    """The champion on this machine, and its policies."""

    bundle: Bundle
    policies: LocalPolicies


@dataclass(frozen=True)
class ShownPolicy:
    """One policy of a model. Times are UTC epoch milliseconds."""

    model_name: str
    model_version: str
    model_digest: str
    policy: Policy
    says: str
    serves: bool
    since_ms: int | None
    """None: it does not serve, or it does as long as its model."""
    tuned: str
    """`training` or `by hand`."""
    tuning: Tuning | None
    """Of one that was tuned by hand."""
    versions: tuple[str, ...]
    """All that this machine has for the model."""


def serving_model(settings: Settings) -> ServingModel:
    """Raises BundleError when no model serves here, or it is damaged."""
    champion = LocalBundles(settings.models_dir).champion.resolve()
    bundle = Bundle.read(champion)
    return ServingModel(bundle, LocalPolicies.beside(champion, bundle))


def show_policy(settings: Settings, version: str | None) -> ShownPolicy:
    """A policy of the model that serves; None: the one that does, too. Raises BundleError."""
    model = serving_model(settings)
    choice, versions = model.policies.choice(), model.policies.versions()
    serving = choice.version if choice else versions[0]
    kept = model.policies.kept(version or serving)
    serves = kept.policy.version == serving
    info = model.bundle.info
    return ShownPolicy(
        model_name=info.name,
        model_version=info.version,
        model_digest=info.digest,
        policy=kept.policy,
        says=kept.policy.says,
        serves=serves,
        since_ms=choice.since_ms if choice and serves else None,
        tuned=BY_HAND if kept.tuning else TRAINING,
        tuning=kept.tuning,
        versions=tuple(versions),
    )


def serve_policy(settings: Settings, version: str) -> str:
    """Let an earlier policy serve again; returns its model's version. Raises as `use_policy`."""
    model = serving_model(settings)
    use_policy(Registry.of(settings), model.policies, model.bundle.info, version)
    return model.bundle.info.version
