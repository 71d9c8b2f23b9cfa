"""Drift of live days against what the champion was made of."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from bdp_assets.defs.freshness import NIGHTLY
from bdp_assets.defs.partitions import DAYS_THAT_ENDED, ONE_RUN, days_of, nightly
from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import MODEL_TEAM
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings

if TYPE_CHECKING:
    from bdp_assets.operations.drift.days import DriftOfDay

KEY = dg.AssetKey(["monitoring", "drift"])
MOST_SHOWN = 50
WITHIN_BOUNDS = dg.AssetCheckSpec(
    "drift_within_bounds",
    asset=KEY,
    description="No feature, score or label of these days differs from the champion's own days by more than "
    "days do (Benjamini-Hochberg over all of a day's comparisons), and by enough to matter. docs/drift.md",
)


@dg.asset(
    key=KEY,
    deps=[
        ["clean", "enriched_transactions"],
        ["serving", "predictions"],
        ["raw", "labels"],
        ["models", "fraud_ensemble"],
    ],
    partitions_def=DAYS_THAT_ENDED,
    backfill_policy=ONE_RUN,
    automation_condition=nightly(),
    freshness_policy=NIGHTLY,
    check_specs=[WITHIN_BOUNDS],
    owners=[MODEL_TEAM],
    kinds={"polars", "mlflow", "postgres"},
    description="Features and scores of a day, and labels that became due on it, against the days that the "
    "champion was made of, as a whole and by segment. Figures go to `warehouse.drift` and, of the last day, "
    "to `metrics/drift.prom`.",
)
@retried
def drift(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    # Loads SciPy and MLflow.
    from bdp_assets.monitoring.drift.reference import ReferenceUnusable
    from bdp_assets.operations.drift.days import judge_days
    from bdp_assets.operations.drift.keeping import NothingToCompare
    from bdp_assets.operations.drift.storing import publish, store

    settings, days = get_settings(), []
    try:
        for day in judge_days(settings, lake.open(), *days_of(context)):
            store(settings, day)
            context.add_asset_metadata(_shown(day), partition_key=day.day.isoformat())
            days.append(day)
    except (NothingToCompare, ReferenceUnusable) as none:
        context.log.warning("nothing is compared: %s", none)
        verdict = _verdict([], str(none), judged=False)
    else:
        publish(settings, days[-1])
        verdict = _verdict(days, "every comparison was made", judged=True)
    yield dg.MaterializeResult(check_results=[verdict])


def _verdict(days: "list[DriftOfDay]", reason: str, *, judged: bool) -> dg.AssetCheckResult:
    """What can not be judged does not pass: nobody looks for drift then."""
    drifted = [day.drifted.insert_column(0, pl.lit(day.day).alias("day")) for day in days if len(day.drifted)]
    table = {"drifted": markdown_table(pl.concat(drifted).head(MOST_SHOWN))} if drifted else {}
    return dg.AssetCheckResult(
        check_name=WITHIN_BOUNDS.name,
        passed=judged and not drifted,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reason": reason, "days": len(days), "days with drift": len(drifted), **table},
    )


def _shown(day: "DriftOfDay") -> dict[str, Any]:
    from bdp_assets.monitoring.drift.pictures import bounds_png, psi_png  # loads matplotlib

    told = {
        "model": day.model_version,
        "rows": day.rows,
        "labels of": day.label_day.isoformat(),
        "comparisons": len(day.comparisons),
        "drifted": len(day.drifted),
        "not compared": ", ".join(day.not_compared) or "nothing",
    }
    if day.comparisons.is_empty():
        return told
    return {
        **told,
        "furthest away": markdown_table(day.comparisons.head(MOST_SHOWN)),
        "PSI": image(psi_png(day.comparisons)),
        "bounds": image(bounds_png(day.comparisons)),
    }
