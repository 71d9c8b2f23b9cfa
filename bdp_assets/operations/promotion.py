"""Registered versions on the lake's matured labels: beside each other, and before the gates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import Registry
from bdp_assets.decisions.policy import Costs
from bdp_assets.decisions.tuning import costs_of
from bdp_assets.operations.feature_skew import parity
from bdp_assets.operations.policy_history import first_unseen
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.bootstrap import Difference
from bdp_assets.training.champions import Forced, Judged, Overtaken, download, make_champion
from bdp_assets.training.contest import Contender, differences
from bdp_assets.training.from_lake import lake_data
from bdp_assets.training.gate import Gate, failed, why_not
from bdp_assets.training.gates import judge
from bdp_assets.training.split import TrainingError

BY_HAND = "by hand: bdp models use"
"""Why a version is champion that nobody asked the gates about."""


class NotPromoted(Exception):  # noqa: N818 - reads as what it is
    """A version does not pass the gates, which the message names, and there is no reason to force it."""


@dataclass(frozen=True)
class Contest:
    """Two versions on transactions of the days first..last (UTC) that neither learned from."""

    one: str
    other: str
    first: date
    last: date
    transactions: int
    frauds: int
    costs: Costs
    figures: dict[str, Difference]


def compare(settings: Settings, version: str, other: str | None) -> Contest:
    """A version beside another one, by default the champion, at the costs of the other's policy.

    Raises BundleError, VersionMissing, RegistryUnavailable, TrainingError (no matured rows).
    """
    registry, bundles = Registry.of(settings), LocalBundles(settings.models_dir)
    rival = other or registry.champion()
    if rival is None:
        raise BundleError(f"{registry.model_name} has no champion to compare with: name another version")
    folders = [download(registry, bundles, name) for name in (version, rival)]
    rows = _matured(settings, folders)
    one, another = (Contender.of(folder, rows) for folder in folders)
    costs, days = costs_of(another.policy), pl.from_epoch(rows["ts_ms"], time_unit="ms").dt.date()
    return Contest(
        one=version,
        other=rival,
        first=days.min(),  # type: ignore[arg-type]
        last=days.max(),  # type: ignore[arg-type]
        transactions=len(rows),
        frauds=int(rows["is_fraud"].sum()),
        costs=costs,
        figures=differences(rows, one, another, costs),
    )


def promote(settings: Settings, version: str, *, force: str | None = None) -> tuple[Gate, ...]:
    """Make a version champion that passes the gates; returns them.

    Args:
        force: why the gates are not asked; then there are none, and the version remembers the reason.

    Raises:
        NotPromoted: a gate failed, another champion came meanwhile, or the reason is empty; nothing is
            changed. Else as `compare`.
    """
    if force is not None and not force.strip():
        raise NotPromoted("`--force` wants a reason: the version keeps it. Nothing is changed.")
    registry, bundles = Registry.of(settings), LocalBundles(settings.models_dir)
    if force is not None:
        make_champion(registry, bundles, version, Forced(force))
        return ()
    before = registry.champion()
    gates = judged(settings, version)
    if failed(gates):
        raise NotPromoted(
            f"Version {version} does not pass the gates, nothing is changed. {why_not(gates)}. "
            "`--force REASON` makes it champion all the same."
        )
    try:
        make_champion(registry, bundles, version, Judged(before))
    except Overtaken as error:
        raise NotPromoted(
            "Another model became champion while this one was judged, nothing is changed. Ask again."
        ) from error
    return gates


def judged(settings: Settings, version: str) -> tuple[Gate, ...]:
    """All gates, beside the champion where it can score today's features. Raises as `compare`."""
    registry, bundles = Registry.of(settings), LocalBundles(settings.models_dir)
    folder, champion = download(registry, bundles, version), _champion(registry, bundles)
    rows = _matured(settings, [folder] if champion is None else [folder, champion])
    rival = None if champion is None else Contender.of(champion, rows)
    return (*judge(rows, Contender.of(folder, rows), rival), parity(Lake.of(settings)))


def _champion(registry: Registry, bundles: LocalBundles) -> Path | None:
    version = registry.champion()
    if version is None:
        return None
    try:
        folder = download(registry, bundles, version)
        Ensemble.load(folder)
    except BundleError:  # damaged, or of another catalog: then it can not serve either
        return None
    return folder


def _matured(settings: Settings, folders: list[Path]) -> pl.DataFrame:
    """The test rows of a model that would be trained now, of days that none of these learned from."""
    first = max(first_unseen(Bundle.read(folder).info) for folder in folders)
    rows = (
        lake_data(Lake.of(settings), settings.label_delay_days)
        .test_rows()
        .filter(pl.from_epoch("ts_ms", time_unit="ms").dt.date() >= first)
    )
    frauds = int(rows["is_fraud"].sum())
    if frauds in {0, len(rows)}:
        raise TrainingError(
            f"the lake has {len(rows):,} transactions from {first} on that the model did not learn from and "
            f"whose labels are due, {frauds:,} of them fraud: nothing to judge by. Wait for labels."
        )
    return rows
