"""A policy's way into service: through the registry to this machine, and to the others."""

from __future__ import annotations

import time
from pathlib import Path

from bdp_assets.clients.registry import POLICY_VERSION, RegisteredVersion, Registry
from bdp_assets.decisions.local_policies import LocalPolicies, Tuning, encode
from bdp_assets.decisions.policy import Costs, Policy
from bdp_assets.decisions.tuning import COSTS, costs_of
from bdp_assets.scoring.bundle import Bundle, BundleError, ModelInfo
from bdp_assets.scoring.local_bundles import LocalBundles


def release_policy(
    registry: Registry, policies: LocalPolicies, info: ModelInfo, policy: Policy, tuning: Tuning
) -> None:
    """Keep a policy with its model, and let it serve.

    A model that never was in a registry keeps it on this machine alone. Raises RegistryUnavailable and
    VersionMissing: then the policy that served still does.
    """
    document = encode(policy, tuning)
    if info.is_registered:
        registry.keep_policy(info.version, policy.version, document)
    policies.put(document, policy.version)
    use_policy(registry, policies, info, policy.version)


def use_policy(registry: Registry, policies: LocalPolicies, info: ModelInfo, version: str) -> None:
    """Let a policy serve that the model has, here or in the registry.

    Raises BundleError (there is none, or it is damaged), and as `release_policy`.
    """
    if not info.is_registered:
        policies.use(version, _now_ms())
        return
    _bring(registry, policies, info.version, version)
    registry.use_policy(info.version, version)
    policies.use(version, _now_ms())


def bring_policy(registry: Registry, folder: Path, registered: RegisteredVersion) -> None:
    """Let the model in a bundle's folder serve by the policy that the registry names for it.

    Raises BundleError, VersionMissing.
    """
    policies = LocalPolicies.beside(folder, Bundle.read(folder))
    version = registered.tags.get(POLICY_VERSION)
    if version is not None and not _serves(policies, version):
        _bring(registry, policies, registered.version, version)
        policies.use(version, _now_ms())


def costs_here(bundles: LocalBundles) -> Costs:
    """Those of the policy that serves on this machine; the usual ones where none can be read."""
    try:
        return costs_of(LocalPolicies.beside(bundles.champion, Bundle.read(bundles.champion)).serving())
    except BundleError:  # a first model, or one that is to replace what is damaged
        return COSTS


def _serves(policies: LocalPolicies, version: str) -> bool:
    try:
        return policies.serving().version == version
    except BundleError:
        return False


def _bring(registry: Registry, policies: LocalPolicies, model_version: str, version: str) -> None:
    """Have a policy here, whole; a damaged copy is replaced."""
    try:
        policies.kept(version)
    except BundleError:
        policies.put(registry.policy(model_version, version), version)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
