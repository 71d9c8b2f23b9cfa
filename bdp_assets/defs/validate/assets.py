"""Raw becomes clean: what keeps the contract, and what does not with the reason."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from bdp_assets.contracts import topics
from bdp_assets.defs.freshness import LIVE
from bdp_assets.defs.partitions import ONE_RUN
from bdp_assets.defs.presentation import refusals
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import FROM_HISTORY, publish, schema_check, table_spec
from bdp_assets.defs.topics import topic_key
from bdp_assets.ingest import validation
from bdp_assets.ingest.tables import IS_HISTORY, from_no_topic
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import get_settings

RAW = dg.AssetKey(["raw", "transactions"])
CLEAN = table_spec(
    ["clean", "transactions"],
    "validated",
    replaces=FROM_HISTORY,
    deps=[RAW, topic_key(topics.VALIDATED)],
    description="Transactions that keep the contract: typed, money in minor units, times in UTC.",
    freshness=LIVE,
)
QUARANTINED = table_spec(
    ["clean", "quarantined_transactions"],
    "quarantined",
    replaces=f"source_topic = '{validation.SOURCE}'",
    deps=[RAW, topic_key(topics.DLQ)],
    description="Transactions that were refused, with the reason and the bytes (card numbers masked). "
    "`bdp quarantine` corrects and releases those of the past, `bdp dlq` those of the topics.",
)
RECONCILED = dg.AssetCheckSpec(
    "transactions_reconciled",
    asset=CLEAN.key,
    blocking=True,
    description="Every raw row of the days is clean or quarantined: nothing is lost, nothing doubled. A "
    "backfill looks at the rows that came from the file; each landing run at the streamed rows of its days.",
)


@dg.multi_asset(
    specs=[CLEAN, QUARANTINED],
    ins={"raw": dg.AssetIn(RAW, input_manager_key="tables")},
    check_specs=[schema_check(CLEAN), schema_check(QUARANTINED), RECONCILED],
    backfill_policy=ONE_RUN,
)
@retried
def clean_transactions(context: dg.AssetExecutionContext, raw: pl.DataFrame) -> Iterator[Any]:
    history = raw.filter(IS_HISTORY)
    validated = validation.validate(history, pan_key(get_settings()), context.log.info)
    reconciled = _reconciled(history, validated)
    if not reconciled.passed:
        yield reconciled
        raise dg.Failure(
            "Rows were lost or doubled on the way (see the check): none of the days is published."
        )
    yield from publish(context, QUARANTINED, validated.refused, refusals(validated.refused))
    yield from publish(context, CLEAN, from_no_topic(validated.transactions), checks=[reconciled])


def _reconciled(history: pl.DataFrame, validated: validation.Validated) -> dg.AssetCheckResult:
    counts = {
        "raw": len(history),
        "clean": len(validated.transactions),
        "quarantined": len(validated.refused),
    }
    passed = counts["raw"] == counts["clean"] + counts["quarantined"]
    return dg.AssetCheckResult(
        asset_key=CLEAN.key, check_name=RECONCILED.name, passed=passed, metadata=counts
    )
