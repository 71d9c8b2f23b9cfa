"""Which version is champion: in the registry, and on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bdp_assets.clients.registry import CHAMPION, DIGEST, RegisteredVersion, Registry
from bdp_assets.scoring.bundle import BundleError, ModelInfo, Registration
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.scoring.local_bundles import LocalBundles, look_at_copy
from bdp_assets.training.policy_release import bring_policy


class Overtaken(Exception):  # noqa: N818 - reads as what it is
    """A version was judged beside another champion than there is now: nothing is changed."""


@dataclass(frozen=True)
class Forced:
    """Why a version becomes champion without passing the gates; it remembers that."""

    reason: str


@dataclass(frozen=True)
class Judged:
    """It passed the gates beside that champion, None: there was none."""

    champion: str | None


def serve_champion(registry: Registry, bundles: LocalBundles) -> str:
    """Bring the registry's champion to this machine and make it the one that serves; returns its version.

    Raises:
        BundleError: the registry has no champion, or it can not score here: damaged, of another catalog.
    """
    with bundles.alone():
        version = registry.champion()
        if version is None:
            raise BundleError(
                f"{registry.model_name} has no champion yet: train one (`bdp train`), or see why "
                "those that are there (`bdp models list`) do not pass: `bdp models promote VERSION`"
            )
        _serve(registry, bundles, version)
    return version


def serve_version(registry: Registry, bundles: LocalBundles, version: str) -> None:
    """Have this machine serve a version, whatever the registry's champion is, which stays as it is.

    Raises BundleError (it can not score here), VersionMissing.
    """
    with bundles.alone():
        _serve(registry, bundles, version)


def make_champion(registry: Registry, bundles: LocalBundles, version: str, grounds: Judged | Forced) -> None:
    """Make a version champion, once it is known to score here.

    Raises:
        BundleError, VersionMissing: it is damaged, or is not there.
        Overtaken: it was judged beside another champion than there is.
    """
    with bundles.alone():
        Ensemble.load(download(registry, bundles, version))
        if isinstance(grounds, Forced):
            registry.note_forced(version, grounds.reason)
        elif registry.champion() != grounds.champion:
            raise Overtaken
        registry.promote(version)
        bundles.activate(version)


def roll_back(registry: Registry, bundles: LocalBundles) -> str:
    """Make the version that the champion replaced champion again; returns it.

    Raises BundleError; VersionMissing, also where it replaced none.
    """
    with bundles.alone():
        version = registry.predecessor()
        Ensemble.load(download(registry, bundles, version))
        registry.set_alias(CHAMPION, version)
        bundles.activate(version)
    return version


def download(registry: Registry, bundles: LocalBundles, version: str) -> Path:
    """Bring a version to this machine, verified, with the policy that it serves by; returns its folder.

    Raises BundleError, VersionMissing.
    """
    registered = registry.version(version)
    folder = bundles.put(*_source(registry, registered))
    bring_policy(registry, folder, registered)
    return folder


def look_at_registered(registry: Registry, version: str) -> ModelInfo:
    """What the registry's copy of a version says it is; nothing is brought to this machine.

    Raises BundleError (the copy is damaged, or gone), VersionMissing.
    """
    return look_at_copy(*_source(registry, registry.version(version)))


def _source(registry: Registry, registered: RegisteredVersion) -> tuple[Registration, Callable[[Path], None]]:
    version = registered.version
    registration = Registration(registry.model_name, version, registered.tags.get(DIGEST, ""))
    return registration, lambda folder: registry.fetch(version, folder)


def _serve(registry: Registry, bundles: LocalBundles, version: str) -> None:
    Ensemble.load(download(registry, bundles, version))
    bundles.activate(version)
