"""The decider that a record names: its model, policy and rules; or why one of them is not to be had."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bdp_assets.clients.registry import Registry, RegistryUnavailable, VersionMissing
from bdp_assets.contracts.records import Prediction
from bdp_assets.decisions.catalog import RULES
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import LocalPolicies
from bdp_assets.decisions.policy import Policy
from bdp_assets.decisions.rules import NO_RULES, RuleCatalog
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.attributions import ForestPaths
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.champions import download

Fetch = Callable[[str], Path]
"""Brings a version of the model to this machine, verified; returns its folder."""


class NotReplayable(LookupError):  # noqa: N818 - read as what it is
    """The record can not be decided again here; the message says what is missing."""


class Named(NamedTuple):
    """What a record says that it was decided with."""

    model_name: str
    model_version: str
    policy_version: str
    rules_version: str | None
    catalog_version: str

    @classmethod
    def by(cls, record: Prediction) -> Named:
        return cls(*(getattr(record, name) for name in cls._fields))


class Deciders:
    """Makes each decider once, and asks for what is missing once."""

    def __init__(self, bundles: LocalBundles, fetch: Fetch) -> None:
        self._bundles = bundles
        self._fetch = fetch
        self._made: dict[Named, Decider | NotReplayable] = {}

    @classmethod
    def of(cls, settings: Settings) -> Deciders:
        """Of this machine's bundles; the registry has the others."""
        bundles = LocalBundles(settings.models_dir)

        def fetch(version: str) -> Path:
            return download(Registry.of(settings), bundles, version)

        return cls(bundles, fetch)

    def named_by(self, record: Prediction) -> Decider:
        """Raises NotReplayable."""
        named = Named.by(record)
        if named not in self._made:
            try:
                self._made[named] = self._make(named)
            except NotReplayable as missing:
                self._made[named] = missing
        made = self._made[named]
        if isinstance(made, NotReplayable):
            raise made
        return made

    def _make(self, named: Named) -> Decider:
        if named.catalog_version != CATALOG.version:
            raise NotReplayable(
                f"it was decided on features of catalog {named.catalog_version}, and this code computes "
                f"{CATALOG.version}: replay it with the code of its time"
            )
        rules = rules_of_version(named.rules_version)
        try:
            bundle = self._bundle(named)
            policies = LocalPolicies(self._bundles.models_dir, bundle)
            policy = policy_of_version(named.policy_version, policies)
            return Decider(Ensemble.of(bundle), policy, ForestPaths.of(bundle), rules)
        except (BundleError, RegistryUnavailable, VersionMissing) as error:
            raise NotReplayable(f"model {named.model_version}: {error}") from error

    def _bundle(self, named: Named) -> Bundle:
        """From this machine, else from the registry."""
        for folder in (self._bundles.path(named.model_version), self._bundles.champion):
            with suppress(BundleError):
                bundle = Bundle.read(folder)
                if _is_named(bundle, named):
                    return bundle
        if not named.model_version.isdigit():
            raise NotReplayable(
                f"model {named.model_version} is not on this machine, and was never registered"
            )
        bundle = Bundle.read(self._fetch(named.model_version))
        if not _is_named(bundle, named):
            raise NotReplayable(f"the registry asked (BDP_MODEL_NAME) has no model {named.model_name}")
        return bundle


def policy_of_version(version: str, policies: LocalPolicies) -> Policy:
    """The policy that a record names: the model's own, or one kept beside it. Raises NotReplayable,
    BundleError."""
    if version not in policies.versions():
        raise NotReplayable(f"policy {version} is not on this machine")
    return policies.kept(version).policy


def rules_of_version(version: str | None) -> RuleCatalog:
    """The rules that a record names; None: from before there were any. Raises NotReplayable."""
    if version is None:
        return NO_RULES
    if version != RULES.version:
        raise NotReplayable(
            f"rules {version} are not those in force ({RULES.version}): "
            "replay it with the rules.yaml of its time"
        )
    return RULES


def _is_named(bundle: Bundle, named: Named) -> bool:
    return (bundle.info.name, bundle.info.version) == (named.model_name, named.model_version)
