"""Checks of what was served."""

import dagster as dg

from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.operations.feature_skew import measure
from bdp_assets.resources.lake import LakeResource


@dg.asset_check(
    asset=["clean", "enriched_transactions"],
    automation_condition=dg.AutomationCondition.on_cron("0 * * * *"),
    description="A sample of the features that the stream served, recomputed from the lake: equal, late with "
    "a proof (what the store had applied before gives the same bits), or unexplained, which fails.",
)
@retried
def online_offline_skew(lake: LakeResource) -> dg.AssetCheckResult:
    from bdp_assets.monitoring.pictures import skew_png  # loads matplotlib

    found = measure(lake.open())
    counts = {name: found.total(name) for name in ("compared", "equal", "late", "unexplained")}
    plots = {"plot": image(skew_png(found.features))} if counts["compared"] else {}
    return dg.AssetCheckResult(
        passed=counts["unexplained"] == 0,
        metadata={**counts, "features": markdown_table(found.features), **plots},
    )
