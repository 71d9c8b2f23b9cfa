"""The model: trained on the lake, tested as it will serve, promoted if it passes all gates."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import Registry
from bdp_assets.defs.partitions import DAYS, day_of
from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import MODEL_TEAM
from bdp_assets.defs.training.gates import GATES, KEY, check
from bdp_assets.observability.milestones import phases
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings
from bdp_assets.training.split import TEST_DAYS, TRAIN_DAYS

PROMOTED = dg.AssetCheckSpec(
    "fraud_ensemble_promoted",
    asset=KEY,
    description="A model that passed all gates took the champion's place. One of an earlier day than the "
    "champion's is not asked to, and kept; one of a named snapshot, or whose test was shorter than usual, is "
    "not either, and stays challenger.",
)
NO_LEAK = dg.AssetCheckSpec(
    "fraud_ensemble_no_leak",
    asset=KEY,
    blocking=True,
    description="No feature, row or split of the training data knows what was not known at its time: a "
    "sample of the lake's features is computed anew with the labels of their time, with all others turned "
    "over, and without later transactions. "
    "Where one does, nothing is trained.",
)


class TrainingConfig(dg.Config):
    """Lengths of the windows in days; between and after them labels have `BDP_LABEL_DELAY_DAYS` to arrive.

    `snapshot`: versions of the lake's tables, as an earlier model of the day names them, to make it again;
    beside a champion it stays challenger.
    """

    train: int = TRAIN_DAYS
    test: int = TEST_DAYS
    seed: int = 0
    snapshot: str | None = None


_REACH = TRAIN_DAYS + TEST_DAYS + 2 * get_settings().label_delay_days
WINDOWS = dg.TimeWindowPartitionMapping(start_offset=1 - _REACH, allow_nonexistent_upstream_partitions=True)
"""A model as of a day is made of the days of its windows, by their usual lengths."""


@dg.asset(
    key=KEY,
    partitions_def=DAYS,
    pool="training",
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
    deps=[
        dg.AssetDep(["features", "transactions"], partition_mapping=WINDOWS),
        dg.AssetDep(["raw", "labels"], partition_mapping=WINDOWS),
    ],
    check_specs=[NO_LEAK, *GATES, PROMOTED],
    owners=[MODEL_TEAM],
    kinds={"mlflow", "scikitlearn", "onnx"},
    description="RandomForest and IsolationForest, blended, calibrated and exported to ONNX; registered in "
    "MLflow as `challenger`, and as `champion` when it passes all gates. A partition is the model as of the "
    "end of that day: nothing later is learned from or tested on.",
)
@retried
def fraud_ensemble(context: dg.AssetExecutionContext, config: TrainingConfig) -> Iterator[Any]:
    # Here, not above: scikit-learn takes a second to load.
    from bdp_assets.operations.feature_skew import parity
    from bdp_assets.operations.train_model import (
        GUARD,
        PHASES,
        READ,
        REGISTER,
        ask_registry,
        doubts,
        of_day,
        train_unguarded,
    )
    from bdp_assets.training.card import model_card
    from bdp_assets.training.protocols import Protocol
    from bdp_assets.training.release import release

    settings, begin, day = get_settings(), phases(PHASES, context.log.info), day_of(context)
    ask_registry(settings)
    begin(READ)
    material = of_day(settings, day, Protocol(config.train, config.test), config.snapshot)
    begin(GUARD)
    leaks = material.leaks()
    no_leak = dg.AssetCheckResult(
        check_name=NO_LEAK.name,
        passed=not leaks.found,
        metadata={"leaks": "\n".join(leaks.found) or "none", "features": markdown_table(leaks.features)},
    )
    if leaks.found:
        yield no_leak
        raise dg.Failure("; ".join(["nothing is trained, the data knows too much", *leaks.found]))
    trained = train_unguarded(settings, material, seed=config.seed, progress=begin)
    begin(REGISTER)
    served = parity(Lake.of(settings))
    outcome = release(trained, Registry.of(settings), LocalBundles(settings.models_dir), served)
    promoted = dg.AssetCheckResult(
        check_name=PROMOTED.name,
        passed=outcome.promoted,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reason": outcome.reason, "champion before": outcome.champion_before or "none"},
    )
    url = f"{settings.mlflow}/#/models/{settings.model_name}/versions/{outcome.version}"
    # With their materialisation: a verdict that comes before it is kept as one on the model of before.
    yield dg.MaterializeResult(
        check_results=[no_leak, *map(check, outcome.gates), promoted],
        metadata={
            "version": outcome.version,
            "standing": f"{outcome.standing}: {outcome.reason}",
            "MLflow": dg.MetadataValue.url(url),
            "snapshot": trained.bundle.info.snapshot_version or "none",
            "model card": dg.MetadataValue.md(model_card(trained)),
            "too good to be true": "\n".join(doubts(trained)) or "nothing",
            **{name: float(value) for name, value in trained.metrics.items()},
            **{name.removesuffix(".png"): image(png) for name, png in trained.plots.items()},
        },
    )
