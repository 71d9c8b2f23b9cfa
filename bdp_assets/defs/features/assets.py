"""Features for training: point-in-time correct, whatever came late."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bdp_assets.defs.freshness import LIVE
from bdp_assets.defs.partitions import ONE_RUN, WINDOW, days_of, follow_upstream
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import MODEL_TEAM, publish, schema_check, table_spec
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.backfill import corrected_features
from bdp_assets.resources.lake import LakeResource

FEATURES = table_spec(
    ["features", "transactions"],
    "features",
    replaces=None,
    deps=[
        dg.AssetDep(["clean", "enriched_transactions"], partition_mapping=WINDOW),
        dg.AssetDep(["raw", "labels"], partition_mapping=WINDOW),
    ],
    description="The feature vector of each transaction **as corrected**: every event and label counts by "
    "its own time, also those that came late. Days follow their transactions and labels by themselves.",
    owner=MODEL_TEAM,
    code_version=CATALOG.version,
    automation_condition=follow_upstream(),
    freshness=LIVE,
)


@dg.multi_asset(specs=[FEATURES], check_specs=[schema_check(FEATURES)], backfill_policy=ONE_RUN)
@retried
def transaction_features(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    context.log.info("compute features as corrected")
    features = corrected_features(lake.open(), *days_of(context))
    yield from publish(context, FEATURES, features, {"catalog version": CATALOG.version})
