"""The version that would like to decide, as the registry names it; or why there is none to compare."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.clients.registry import CHALLENGER, Registry, VersionMissing
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.champions import download


class NoChallenger(LookupError):  # noqa: N818 - reads as what it is
    """No version is in the champion's shadow, which is nothing wrong; the message says why."""


class OtherFeatures(ValueError):  # noqa: N818 - reads as what it is
    """The challenger reads other features than live decisions carry: it is not scored at all."""


class ChallengerUnusable(BundleError):  # noqa: N818 - reads as what it is
    """The challenger is damaged, or its files are gone; the message names it, and says what to do."""


def challenger(settings: Settings) -> Decider:
    """The challenger with its own policy, brought to this machine.

    Raises NoChallenger, OtherFeatures, ChallengerUnusable, RegistryUnavailable.
    """
    registry = Registry.of(settings)
    version, champion = registry.alias(CHALLENGER), registry.champion()
    if version is None:
        raise NoChallenger(
            f"{registry.model_name} has no version with the alias {CHALLENGER}: a training names one"
        )
    if version == champion:
        raise NoChallenger(
            f"version {version}, the last {CHALLENGER}, is champion itself: the next training that does not "
            "pass all gates names another"
        )
    try:
        return _loaded(download(registry, LocalBundles(settings.models_dir), version))
    except (BundleError, VersionMissing) as error:
        raise ChallengerUnusable(f"challenger {version} can not score: {error}") from error


def _loaded(folder: Path) -> Decider:
    """Raises OtherFeatures, BundleError."""
    info = Bundle.read(folder).info
    if (info.catalog_version, tuple(info.feature_names)) != (CATALOG.version, tuple(CATALOG.names)):
        raise OtherFeatures(
            f"challenger {info.version} was trained on feature catalog {info.catalog_version}, live "
            f"decisions carry the features of {CATALOG.version}: their vectors say nothing to it. Train a "
            "challenger on today's features (`bdp train`)"
        )
    return Decider.load(folder)
