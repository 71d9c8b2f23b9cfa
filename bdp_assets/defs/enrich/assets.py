"""Clean becomes enriched: with the features that the decision saw."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bdp_assets.contracts import topics
from bdp_assets.defs.freshness import LIVE
from bdp_assets.defs.partitions import ONE_RUN, days_of
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import FROM_HISTORY, publish, schema_check, table_spec
from bdp_assets.defs.topics import topic_key
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.backfill import enriched_history
from bdp_assets.resources.lake import LakeResource

ENRICHED = table_spec(
    ["clean", "enriched_transactions"],
    "enriched",
    replaces=FROM_HISTORY,
    deps=[["clean", "transactions"], ["raw", "labels"], topic_key(topics.ENRICHED)],
    description="Each transaction once, with its features **as served**: from the stream as the online store "
    "gave them, from history as it would have.",
    code_version=CATALOG.version,
    freshness=LIVE,
)


@dg.multi_asset(specs=[ENRICHED], check_specs=[schema_check(ENRICHED)], backfill_policy=ONE_RUN)
@retried
def enriched_transactions(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    context.log.info("compute features as served")
    yield from publish(context, ENRICHED, enriched_history(lake.open(), *days_of(context)))
