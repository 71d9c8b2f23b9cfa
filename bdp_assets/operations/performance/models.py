"""Who the models are that decided or would have: what they learned from, and what their tests promised."""

from __future__ import annotations

from bdp_assets.clients.registry import Registry, VersionMissing
from bdp_assets.scoring.bundle import Bundle, BundleError, ModelInfo
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.champions import download


def info_of(settings: Settings, version: str) -> ModelInfo:
    """A version that is on this machine, or is brought from the registry.

    Raises VersionMissing, BundleError (damaged), RegistryUnavailable.
    """
    bundles = LocalBundles(settings.models_dir)
    try:
        return Bundle.read(bundles.path(version)).info
    except BundleError:  # not here, or damaged: the registry has it
        registry = Registry.of(settings)
    if not version.isdecimal():
        raise VersionMissing(f"{registry.model_name}: {version} was never registered, and is not here")
    return Bundle.read(download(registry, bundles, version)).info
