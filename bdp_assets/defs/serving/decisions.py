"""Decisions: of history in batch, and all of them in the warehouse."""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg

from bdp_assets.contracts import topics
from bdp_assets.defs.freshness import HOURLY, LIVE
from bdp_assets.defs.partitions import DAYS, ONE_RUN, days_of, follow_upstream, hourly
from bdp_assets.defs.presentation import markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.serving.tables import PREDICTIONS
from bdp_assets.defs.tables import PLATFORM_TEAM, publish, schema_check
from bdp_assets.defs.topics import topic_key
from bdp_assets.resources.lake import LakeResource
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings

REPLAYED, REPLAYED_DAYS = 200, 7
"""Decisions that are made again, and of how many of the latest days."""


@dg.multi_asset(specs=[PREDICTIONS], check_specs=[schema_check(PREDICTIONS)], backfill_policy=ONE_RUN)
@retried
def predictions(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    from bdp_assets.decisions.decider import Decider  # loads ONNX Runtime
    from bdp_assets.operations.batch_decisions import decide_history

    decider = Decider.load(LocalBundles(get_settings().models_dir).champion)
    now_ms = time.time_ns() // 1_000_000
    decided = decide_history(lake.open(), decider, *days_of(context), decided_at_ms=now_ms)
    counts = decided.group_by("decision").len("rows").sort("decision")
    metadata = {"model version": decider.info.version, "decisions": markdown_table(counts)}
    yield from publish(context, PREDICTIONS, decided, metadata)


@dg.asset_check(
    asset=PREDICTIONS.key,
    automation_condition=dg.AutomationCondition.on_cron("45 4 * * *"),
    description="A sample of the latest decisions, made again from their records with the model, policy and "
    "rules that they name: equal to the last bit, or not replayable and why; a different one fails.",
)
@retried
def predictions_replay(lake: LakeResource) -> dg.AssetCheckResult:
    from bdp_assets.operations.decision_records.replay import Outcome, replay_sample, summary  # loads drivers

    replayed = replay_sample(get_settings(), lake.open(), REPLAYED, REPLAYED_DAYS)
    return dg.AssetCheckResult(
        passed=all(one.outcome is not Outcome.DIFFERENT for one in replayed),
        metadata={"replayed": len(replayed), "outcomes": markdown_table(summary(replayed).head(20))},
    )


@dg.asset(
    key=["serving", "warehouse"],
    deps=[
        ["clean", "enriched_transactions"],
        ["serving", "predictions"],
        ["serving", "shadow_scores"],
        ["serving", "alerts"],
        ["raw", "labels"],
        ["raw", "adjustments"],
        ["clean", "quarantined_transactions"],
    ],
    partitions_def=DAYS,
    backfill_policy=ONE_RUN,
    automation_condition=follow_upstream(),
    freshness_policy=LIVE,
    owners=[PLATFORM_TEAM],
    kinds={"postgres", "sql"},
    description="The star in PostgreSQL for analysts: customers, merchants and dates; transactions, "
    "predictions, decisions, labels, alerts, refunds and reversals, refused messages; figures by day and "
    "hour. Old months are dropped (`BDP_WAREHOUSE_MONTHS`). docs/warehouse.md.",
)
@retried
def warehouse(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.warehouse.loading import load  # loads SQLAlchemy

    loaded = load(get_settings(), lake.open(), *days_of(context))
    return dg.MaterializeResult(
        metadata={
            "tables": markdown_table(loaded.tables),
            "partitions made": loaded.made,
            "partitions dropped": loaded.dropped,
            "findings dropped": loaded.findings_dropped,
            "days older than what is kept": loaded.days_passed_over,
        }
    )


@dg.asset(
    key=["serving", "dead_letters"],
    deps=[topic_key(topics.DLQ)],
    automation_condition=hourly(),
    freshness_policy=HOURLY,
    owners=[PLATFORM_TEAM],
    kinds={"postgres", "kafka"},
    description="The index of dead letters in PostgreSQL, which `bdp dlq` also brings up to date when asked: "
    "what was refused, why, and whether it was sent again. The bytes stay in the topic and the lake.",
)
@retried
def dead_letters(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.dead_letters.listing import indexed  # loads the drivers

    count, open_letters = indexed(get_settings())
    return dg.MaterializeResult(
        metadata={"letters read": count, "open letters": markdown_table(open_letters)}
    )
