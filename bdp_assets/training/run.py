"""The whole job: data from the lake, a model, its release, and the champion on this machine."""

from __future__ import annotations

import time

from bdp_assets.clients.registry import Registry
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training import pipeline
from bdp_assets.training.from_lake import Days, git_sha, lake_data, snapshot
from bdp_assets.training.pipeline import Progress, Source, TrainedModel, train
from bdp_assets.training.policy_release import costs_here
from bdp_assets.training.release import Release, release, serve_champion
from bdp_assets.training.split import TrainingData

READ, REGISTER = "read the lake", "register"
PHASES = (READ, *pipeline.PHASES, REGISTER)


def train_from_lake(
    settings: Settings, *, cut_ms: int | None, days: Days, seed: int, progress: Progress
) -> Release:
    """Train on the lake as it is, release the model, and bring the champion to this machine.

    Raises:
        TrainingError, RegistryUnavailable, BundleError: the message says what to do.
    """
    progress(READ)
    data = lake_data(settings, cut_ms=cut_ms, days=days)
    trained = train_now(settings, data, seed=seed, progress=progress)
    progress(REGISTER)
    registry, bundles = Registry.of(settings), LocalBundles(settings.models_dir)
    outcome = release(trained, registry, bundles)
    serve_champion(registry, bundles)
    return outcome


def train_now(settings: Settings, data: TrainingData, *, seed: int, progress: Progress) -> TrainedModel:
    """Train on data of the lake as it is now, under the platform's model name.

    Its policy is tuned for the costs of the one that serves: what somebody said they are outlives the model.
    """
    source = Source(
        name=settings.model_name,
        trained_at_ms=time.time_ns() // 1_000_000,
        snapshot_version=snapshot(settings),
        git_sha=git_sha(),
    )
    costs = costs_here(LocalBundles(settings.models_dir))
    return train(data, source, costs=costs, seed=seed, progress=progress)
