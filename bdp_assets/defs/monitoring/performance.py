"""How models do once labels are due."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from bdp_assets.defs.freshness import NIGHTLY
from bdp_assets.defs.partitions import DAYS, ONE_RUN, days_between, days_of, nightly
from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import MODEL_TEAM
from bdp_assets.monitoring.performance.window import DAYS as JUDGED_DAYS
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings

if TYPE_CHECKING:
    from bdp_assets.operations.performance.measuring import Performance

KEY = dg.AssetKey(["monitoring", "model_performance"])
_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=-(JUDGED_DAYS + get_settings().label_delay_days),
    end_offset=-1,
    allow_nonexistent_upstream_partitions=True,
)
"""A day's figures are as of the midnight at which it begins: mature days, and the labels known by then."""
DECAY = dg.AssetCheckSpec(
    "model_performance_decay",
    asset=KEY,
    description="No model that decided ranks matured transactions worse than its own test promised, by more "
    "than `BDP_DECAY_BOUND` and by more than chance. A failure of the model that serves has it trained anew.",
)


@dg.asset(
    key=KEY,
    partitions_def=DAYS,
    backfill_policy=ONE_RUN,
    automation_condition=nightly(),
    freshness_policy=NIGHTLY,
    deps=[
        dg.AssetDep(key, partition_mapping=_BEFORE)
        for key in (
            ["serving", "predictions"],
            ["serving", "shadow_scores"],
            ["raw", "labels"],
            ["models", "fraud_ensemble"],
        )
    ],
    check_specs=[DECAY],
    owners=[MODEL_TEAM],
    kinds={"polars", "postgres"},
    description="Ranking, precision and recall of what was flagged, money, calibration: of each version and "
    "segment, on the live decisions whose labels are due, as of the midnight at which the day begins; "
    "the challenger on what it scored in the shadow. docs/performance.md.",
)
@retried
def model_performance(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    from bdp_assets.operations.performance.measuring import measure  # loads scikit-learn
    from bdp_assets.operations.performance.metrics import publish
    from bdp_assets.operations.performance.tables import keep

    settings = get_settings()
    for day in days_between(*days_of(context)):
        context.log.info("judge models as of %s", day)
        found = measure(settings, lake.open(), day)
        keep(settings, found)
        context.add_asset_metadata(_shown(found), partition_key=day.isoformat())
    if day.isoformat() == DAYS.get_last_partition_key():
        publish(settings, found)
    yield dg.MaterializeResult(check_results=[_check(found)])


def _check(found: "Performance") -> dg.AssetCheckResult:
    from bdp_assets.operations.performance.shown import decay_table

    return dg.AssetCheckResult(
        check_name=DECAY.name,
        passed=not any(one.is_decayed for one in found.decays),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"as of": found.window.as_of.isoformat(), "models": markdown_table(decay_table(found))},
    )


def _shown(found: "Performance") -> dict[str, Any]:
    from bdp_assets.monitoring.performance.pictures import reliability_png, segments_png  # load matplotlib
    from bdp_assets.operations.performance import shown

    window, costs, segments = found.window, found.costs, shown.champion_segments(found)
    told = {
        "mature days": f"{window.first} to {window.last}",
        "reviews a day": costs.reviews_per_day,
        "decay": markdown_table(shown.decay_table(found)),
    }
    if segments.is_empty():
        return {**told, "skipped": "nothing was decided live on the mature days"}
    return {
        **told,
        "figures": markdown_table(shown.figures_table(found)),
        "in the shadow": markdown_table(shown.contests_table(found)),
        "reliability": image(reliability_png(shown.curves(found))),
        "segments": image(segments_png(segments)),
    }
