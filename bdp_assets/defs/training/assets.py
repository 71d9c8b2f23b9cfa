"""The model: trained on the lake, tested as it will serve, promoted if it passes all gates."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import Registry
from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.tables import MODEL_TEAM
from bdp_assets.defs.training.gates import GATES, KEY, check
from bdp_assets.observability.milestones import phases
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings

PROMOTED = dg.AssetCheckSpec(
    "fraud_ensemble_promoted",
    asset=KEY,
    description="The new model passed all gates, and took the champion's place.",
)
NO_LEAK = dg.AssetCheckSpec(
    "fraud_ensemble_no_leak",
    asset=KEY,
    blocking=True,
    description="No feature, row or split of the training data knows a label before it was known: a sample "
    "of the lake's features is computed anew with the labels of their time, and with all others turned over. "
    "Where one does, nothing is trained.",
)


class TrainingConfig(dg.Config):
    """Lengths of the windows in days; between and after them labels have `BDP_LABEL_DELAY_DAYS` to arrive."""

    train: int = 28
    test: int = 7
    seed: int = 0


@dg.asset(
    key=KEY,
    deps=[["features", "transactions"], ["raw", "labels"]],
    check_specs=[NO_LEAK, *GATES, PROMOTED],
    owners=[MODEL_TEAM],
    kinds={"mlflow", "scikitlearn", "onnx"},
    description="RandomForest and IsolationForest, blended, calibrated and exported to ONNX; registered in "
    "MLflow as `challenger`, and as `champion` when it passes all gates.",
)
def fraud_ensemble(context: dg.AssetExecutionContext, config: TrainingConfig) -> Iterator[Any]:
    # Here, not above: scikit-learn takes a second to load.
    from bdp_assets.operations.feature_skew import parity
    from bdp_assets.operations.train_model import (
        GUARD,
        PHASES,
        READ,
        REGISTER,
        doubts,
        of_lake,
        train_unguarded,
    )
    from bdp_assets.training.protocols import Plan, Protocol
    from bdp_assets.training.release import release

    settings, begin = get_settings(), phases(PHASES, context.log.info)
    begin(READ)
    material = of_lake(settings, Plan(Protocol(config.train, config.test)))
    begin(GUARD)
    leaks = material.leaks()
    yield dg.AssetCheckResult(
        check_name=NO_LEAK.name,
        passed=not leaks.found,
        metadata={"leaks": "\n".join(leaks.found) or "none", "features": markdown_table(leaks.features)},
    )
    if leaks.found:
        raise dg.Failure("; ".join(["nothing is trained, the data knows too much", *leaks.found]))
    trained = train_unguarded(settings, material, seed=config.seed, progress=begin)
    begin(REGISTER)
    served = parity(Lake(settings.lake))
    outcome = release(trained, Registry.of(settings), LocalBundles(settings.models_dir), served)
    yield from map(check, outcome.gates)
    yield dg.AssetCheckResult(
        check_name=PROMOTED.name,
        passed=outcome.promoted,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reason": outcome.reason, "champion before": outcome.champion_before or "none"},
    )
    url = f"{settings.mlflow}/#/models/{settings.model_name}/versions/{outcome.version}"
    yield dg.MaterializeResult(
        metadata={
            "version": outcome.version,
            "MLflow": dg.MetadataValue.url(url),
            "snapshot": trained.bundle.info.snapshot_version or "none",
            "too good to be true": "\n".join(doubts(trained)) or "nothing",
            **{name: float(value) for name, value in trained.metrics.items()},
            **{name.removesuffix(".png"): image(png) for name, png in trained.plots.items()},
        },
    )
