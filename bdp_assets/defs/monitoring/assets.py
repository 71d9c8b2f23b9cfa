"""What happened, day by day."""

import dagster as dg

from bdp_assets.defs.freshness import HOURLY
from bdp_assets.defs.partitions import DAYS, ONE_RUN, days_of, hourly
from bdp_assets.defs.presentation import markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import PLATFORM_TEAM
from bdp_assets.monitoring.daily import row_counts
from bdp_assets.resources.lake import LakeResource


@dg.asset(
    key=["monitoring", "daily_summary"],
    deps=[
        *(["raw", noun] for noun in ("transactions", "labels")),
        *(["clean", noun] for noun in ("transactions", "quarantined_transactions", "enriched_transactions")),
        ["features", "transactions"],
        *(["serving", noun] for noun in ("predictions", "alerts")),
    ],
    partitions_def=DAYS,
    backfill_policy=ONE_RUN,
    automation_condition=hourly(),
    freshness_policy=HOURLY,
    owners=[PLATFORM_TEAM],
    kinds={"polars"},
    description="Rows of every table, by the door they came through; see the metadata of a day.",
)
@retried
def daily_summary(context: dg.AssetExecutionContext, lake: LakeResource) -> None:
    counts = row_counts(lake.open(), *days_of(context))
    for (day,), rows in counts.partition_by("event_date", as_dict=True, include_key=False).items():
        context.add_asset_metadata({"rows": markdown_table(rows)}, partition_key=day.isoformat())
