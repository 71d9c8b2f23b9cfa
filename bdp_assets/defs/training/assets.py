"""The model: trained on the lake, tested as it will serve, promoted if it is not worse than the champion."""

import dagster as dg

from bdp_assets.clients.registry import Registry
from bdp_assets.defs.presentation import image
from bdp_assets.defs.tables import MODEL_TEAM
from bdp_assets.observability.milestones import phases
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings

KEY = dg.AssetKey(["models", "fraud_ensemble"])
PROMOTED = dg.AssetCheckSpec(
    "fraud_ensemble_promoted",
    asset=KEY,
    description="The new model is not worse than the champion on the same test rows, and took its place.",
)


class TrainingConfig(dg.Config):
    """Lengths of the windows in days; between and after them labels have `BDP_LABEL_DELAY_DAYS` to arrive."""

    train: int = 28
    test: int = 7
    seed: int = 0


@dg.asset(
    key=KEY,
    deps=[["features", "transactions"], ["raw", "labels"]],
    check_specs=[PROMOTED],
    owners=[MODEL_TEAM],
    kinds={"mlflow", "scikitlearn", "onnx"},
    description="RandomForest and IsolationForest, blended, calibrated and exported to ONNX; registered in "
    "MLflow as `challenger`, and as `champion` when it is not worse than the one before.",
)
def fraud_ensemble(context: dg.AssetExecutionContext, config: TrainingConfig) -> dg.MaterializeResult:  # type: ignore[type-arg]
    # Here, not above: scikit-learn takes a second to load.
    from bdp_assets.training.from_lake import Days, lake_data
    from bdp_assets.training.release import release
    from bdp_assets.training.run import PHASES, READ, REGISTER, train_now

    settings, begin = get_settings(), phases(PHASES, context.log.info)
    begin(READ)
    data = lake_data(settings, days=Days(config.train, config.test))
    trained = train_now(settings, data, seed=config.seed, progress=begin)
    begin(REGISTER)
    outcome = release(trained, Registry.of(settings), LocalBundles(settings.models_dir))
    promoted = dg.AssetCheckResult(
        check_name=PROMOTED.name,
        passed=outcome.promoted,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reason": outcome.reason, "champion before": outcome.champion_before or "none"},
    )
    url = f"{settings.mlflow}/#/models/{settings.model_name}/versions/{outcome.version}"
    return dg.MaterializeResult(
        check_results=[promoted],
        metadata={
            "version": outcome.version,
            "MLflow": dg.MetadataValue.url(url),
            "snapshot": trained.bundle.info.snapshot_version or "none",
            **{name: float(value) for name, value in trained.metrics.items()},
            **{name.removesuffix(".png"): image(png) for name, png in trained.plots.items()},
        },
    )
