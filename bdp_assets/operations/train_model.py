"""One way to a model, whatever the data: read, look for leaks, train, register."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import Registry, RegistryUnavailable
from bdp_assets.ingest.backfill import visible
from bdp_assets.monitoring.drift.reference import FILE
from bdp_assets.operations.drift.keeping import reference_file
from bdp_assets.operations.feature_skew import parity
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training import pipeline
from bdp_assets.training.champions import serve_champion
from bdp_assets.training.early_labels import History
from bdp_assets.training.from_lake import ENRICHED, git_sha, lake_data, lake_of, snapshot
from bdp_assets.training.leaks import Leaks, look_for_leaks
from bdp_assets.training.pipeline import Progress, Source, TrainedModel, train
from bdp_assets.training.policy_release import costs_here
from bdp_assets.training.protocols import LATEST, Plan, Protocol
from bdp_assets.training.release import Release, release
from bdp_assets.training.split import TrainingData, day_of
from bdp_assets.training.tripwires import suspicions

READ, GUARD, REGISTER = "read the data", "look for leaks", "register"
NOT_KEPT = "A model that is not registered is lost, but for the bundle that `--output DIR` writes."
PHASES = (READ, GUARD, *pipeline.PHASES, REGISTER)


class Material(NamedTuple):
    """What a model is made of, the history behind it, how long its labels take, a name for its state
    (`features@12 labels@3 enriched@7`), and whether somebody asked for that state by its name."""

    data: TrainingData
    history: History
    delay_days: int
    snapshot: str
    snapshot_is_named: bool = False

    def leaks(self) -> Leaks:
        return look_for_leaks(self.data, self.history, self.delay_days)


def of_lake(settings: Settings, plan: Plan = LATEST, wanted: str | None = None) -> Material:
    """Features and labels of the lake as it is now, or of a snapshot. Raises TrainingError."""
    lake = lake_of(settings, wanted)
    data = lake_data(lake, settings.label_delay_days, plan)
    days = day_of(data.split.train_start_ms), day_of(data.split.test_end_ms)
    transactions, _ = visible(lake, ENRICHED, days)
    delay_days = plan.delay_days(settings.label_delay_days)
    history = History(transactions, data.labels)
    return Material(data, history, delay_days, snapshot(lake), snapshot_is_named=wanted is not None)


def of_day(settings: Settings, day: date, protocol: Protocol, wanted: str | None = None) -> Material:
    """As of the end of a day (UTC): the latest transactions and labels that there were by then.

    Raises TrainingError.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return of_lake(settings, Plan(protocol, until_ms=int(midnight.timestamp() * 1000)), wanted)


def train_on(
    settings: Settings, material: Material, *, seed: int = 0, progress: Progress = lambda step: None
) -> TrainedModel:
    """A model under the platform's name, of data without a known leak. Raises TrainingError, LeakFound."""
    progress(GUARD)
    material.leaks().refuse()
    return train_unguarded(settings, material, seed=seed, progress=progress)


def train_unguarded(
    settings: Settings, material: Material, *, seed: int = 0, progress: Progress = lambda step: None
) -> TrainedModel:
    """The same for those who have judged the leaks themselves. Raises TrainingError.

    Its policy is tuned for the costs of the one that serves: what somebody said they are outlives the model.
    """
    source = Source(
        name=settings.model_name,
        trained_at_ms=time.time_ns() // 1_000_000,
        snapshot_version=material.snapshot,
        git_sha=git_sha(),
    )
    costs = costs_here(LocalBundles(settings.models_dir))
    trained = train(material.data, source, costs=costs, seed=seed, progress=progress)
    documents = {FILE: reference_file(material.data, material.delay_days, trained)}
    return replace(trained, documents=documents, snapshot_is_named=material.snapshot_is_named)


def ask_registry(settings: Settings) -> None:
    """To be asked before the work. Raises RegistryUnavailable."""
    Registry.of(settings).champion()


def registered(settings: Settings, trained: TrainedModel) -> Release:
    """Release a model, and bring the champion, if there is one, to this machine.

    Raises RegistryUnavailable, BundleError.
    """
    registry, bundles = Registry.of(settings), LocalBundles(settings.models_dir)
    try:
        outcome = release(trained, registry, bundles, parity(Lake.of(settings)))
    except RegistryUnavailable as error:
        raise RegistryUnavailable(f"{error} {NOT_KEPT}") from error
    if outcome.promoted or outcome.champion_before is not None:
        serve_champion(registry, bundles)
    return outcome


def doubts(trained: TrainedModel, plan: Plan = LATEST) -> list[str]:
    """What is too good to be true in a model's test, without a proof."""
    return list(suspicions(trained.test, plan.protocol.most_ap))
