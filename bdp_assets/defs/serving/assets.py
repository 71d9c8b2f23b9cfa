"""From the registry to the endpoint: the model on this machine, the online store, and who uses them."""

import dagster as dg

from bdp_assets.clients.registry import Registry
from bdp_assets.contracts import topics
from bdp_assets.decisions.local_policies import LocalPolicies
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import MODEL_TEAM, PLATFORM_TEAM
from bdp_assets.defs.topics import STREAM_WORKER, topic_key
from bdp_assets.features.catalog import CATALOG
from bdp_assets.resources.lake import LakeResource
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings

BUNDLE = dg.AssetKey(["serving", "model_bundle"])
STORE = dg.AssetKey(["serving", "online_store"])
FITS = dg.AssetCheckSpec(
    "model_bundle_fits_catalog",
    asset=BUNDLE,
    blocking=True,
    description="The model was made for the features that this code computes.",
)
READY = dg.AssetCheckSpec(
    "online_store_ready",
    asset=STORE,
    blocking=True,
    description="The store says that it is filled for the features that this code computes.",
)

stream_worker = dg.AssetSpec(
    STREAM_WORKER,
    deps=[topic_key(topics.RAW)],
    description="`bdp stream scoring`: validates, enriches and decides every raw transaction exactly once, "
    "in Kafka transactions, with the same model and features as the API. Dagster is never in its way.",
    owners=[PLATFORM_TEAM],
    kinds={"kafka", "redis", "onnx"},
)

fraud_api = dg.AssetSpec(
    ["serving", "fraud_api"],
    deps=[BUNDLE, STORE],
    description="The prediction API (BentoML): `POST /api/v1/predict`.",
    owners=[PLATFORM_TEAM],
    kinds={"bentoml", "onnx", "redis"},
    metadata={"url": dg.MetadataValue.url(f"http://localhost:{get_settings().api_port}/docs")},
)


@dg.asset(
    key=BUNDLE,
    deps=[["models", "fraud_ensemble"]],
    check_specs=[FITS],
    owners=[MODEL_TEAM],
    kinds={"onnx", "mlflow"},
    description="The champion and its policy on this machine, verified file by file; the API and the stream "
    "serve them.",
)
@retried
def model_bundle(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.training.champions import serve_champion  # loads ONNX Runtime

    settings = get_settings()
    bundles = LocalBundles(settings.models_dir)
    context.log.info("download the champion and verify it file by file")
    version = serve_champion(Registry.of(settings), bundles)
    bundle = Bundle.read(bundles.champion)
    info, policy = bundle.info, LocalPolicies.beside(bundles.champion, bundle).serving()
    fits = dg.AssetCheckResult(check_name=FITS.name, passed=info.catalog_version == CATALOG.version)
    return dg.MaterializeResult(
        check_results=[fits],
        metadata={
            "version": version,
            "digest": info.digest,
            "policy": policy.version,
            "features": len(info.feature_names),
            "folder": dg.MetadataValue.path(str(bundles.path(version))),
        },
    )


@dg.asset(
    key=["serving", "bento"],
    deps=[BUNDLE],
    owners=[MODEL_TEAM],
    kinds={"bentoml", "onnx"},
    description="The API with the champion and its policy as one artifact, which serves without a checkout, "
    "a registry or a lake; `bdp bento build --output FILE` writes it into a file.",
)
@retried
def bento(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.bento_build import build  # loads ONNX Runtime

    context.log.info("pack the champion, and let BentoML build it")
    built = build(get_settings())
    return dg.MaterializeResult(
        metadata={
            "tag": built.tag,
            "bytes": built.size_bytes,
            "folder": dg.MetadataValue.path(str(built.folder)),
            **{name.replace("_", " "): value for name, value in vars(built.contents).items()},
        },
    )


@dg.asset(
    key=STORE,
    deps=[["clean", "enriched_transactions"], ["raw", "labels"]],
    check_specs=[READY],
    owners=[PLATFORM_TEAM],
    kinds={"redis"},
    description="The state that live features are computed from, rebuilt from the lake and Kafka beside the "
    "one that serves, and put in its place at once: the API and the stream go on meanwhile.",
)
@retried
def online_store(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.rebuild_store import rebuild_store  # loads redis

    context.log.info("replay the lake's transactions and labels")
    result, is_ready = rebuild_store(get_settings(), lake.open())
    ready = dg.AssetCheckResult(check_name=READY.name, passed=is_ready)
    return dg.MaterializeResult(check_results=[ready], metadata=vars(result))
