"""What keeps the lake in order."""

import dagster as dg

from bdp_assets.clients.registry import Registry
from bdp_assets.defs.freshness import NIGHTLY
from bdp_assets.defs.partitions import nightly
from bdp_assets.defs.presentation import markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import PLATFORM_TEAM
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings


@dg.asset(
    key=["monitoring", "lake_upkeep"],
    deps=[
        ["sources", "corrections"],
        *(["raw", noun] for noun in ("transactions", "labels", "adjustments")),
        *(["clean", noun] for noun in ("transactions", "quarantined_transactions", "enriched_transactions")),
        ["features", "transactions"],
        *(["serving", noun] for noun in ("predictions", "batch_scores", "shadow_scores", "alerts")),
        ["models", "fraud_ensemble"],
    ],
    automation_condition=nightly(),
    freshness_policy=NIGHTLY,
    owners=[PLATFORM_TEAM],
    kinds={"deltalake", "mlflow"},
    description="Small files of every table become large ones; files and commits that no version within "
    "`BDP_LAKE_RETENTION_DAYS` has are deleted, but for the versions that models were trained on. Rows, "
    "bytes, files and versions of each table are in the metadata.",
)
@retried
def lake_upkeep(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.lake_upkeep import as_table, keep_up  # loads scikit-learn

    settings = get_settings()
    models = Registry.of(settings).versions()
    done = {}
    for table, upkeep in keep_up(settings, lake.open(), models):
        context.log.info("%s: %d files were %d", table, upkeep.after.files, upkeep.before.files)
        done[table] = upkeep
    now = [upkeep.after for upkeep in done.values()]
    return dg.MaterializeResult(
        metadata={
            "tables": markdown_table(as_table(done)),
            "rows": sum(table.rows for table in now),
            "bytes": sum(table.size for table in now),
            "files": sum(table.files for table in now),
            "small files": sum(table.small_files for table in now),
            "files deleted": sum(upkeep.deleted_files for upkeep in done.values()),
            "snapshots gone": sum(len(upkeep.gone) for upkeep in done.values()),
        }
    )
