"""Windowed analytics: counted by the stream, proved here."""

import dagster as dg

from bdp_assets.contracts import topics
from bdp_assets.defs.presentation import markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import PLATFORM_TEAM
from bdp_assets.defs.topics import ANALYTICS_WORKER, topic_key
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings

analytics_worker = dg.AssetSpec(
    ANALYTICS_WORKER,
    deps=[topic_key(topics.VALIDATED), topic_key(topics.LABELS)],
    description="`bdp stream analytics`: counts every validated transaction once in its windows of event "
    "time, and every label in those of its transaction.",
    owners=[PLATFORM_TEAM],
    kinds={"kafka", "postgres"},
)


@dg.asset(
    key=["serving", "window_figures"],
    deps=[ANALYTICS_WORKER, ["clean", "transactions"], ["raw", "labels"]],
    description="`warehouse.window_figures` in PostgreSQL: count, volume, mean, largest amount, high values "
    "and frauds by merchant category, country and channel, in windows of a minute and of an hour. "
    "The stream writes it; a run forgets what is older than `BDP_ANALYTICS_DAYS`.",
    automation_condition=dg.AutomationCondition.on_cron("15 3 * * *"),
    owners=[PLATFORM_TEAM],
    kinds={"postgres", "sql"},
)
@retried
def window_figures() -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.window_retention import forget  # loads SQLAlchemy

    forgotten = forget(get_settings())
    return dg.MaterializeResult(metadata={f"forgotten in {table}": n for table, n in forgotten.items()})


@dg.asset_check(
    asset=window_figures,
    automation_condition=dg.AutomationCondition.on_cron("30 * * * *"),
    description="The figures of all windows that are over, against the lake counted anew: both are equal.",
)
@retried
def window_figures_equal_lake(lake: LakeResource) -> dg.AssetCheckResult:
    from bdp_assets.operations.window_check import compare  # loads SQLAlchemy

    found = compare(get_settings(), lake.open())
    return dg.AssetCheckResult(
        passed=found.wrong.is_empty(),
        metadata={
            "compared": found.windows,
            "labels that one side has not seen yet": found.labels_apart,
            "wrong": len(found.wrong),
            "examples": markdown_table(found.wrong.head(20)),
        },
    )
