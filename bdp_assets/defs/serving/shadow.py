"""The challenger in the champion's shadow: scores of live decisions, and how the two compare."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from bdp_assets.defs.freshness import HOURLY
from bdp_assets.defs.partitions import ONE_RUN, days_of, hourly
from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.serving.tables import SHADOW_SCORES
from bdp_assets.defs.tables import MODEL_TEAM, publish, schema_check
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings

if TYPE_CHECKING:
    from bdp_assets.operations.shadow.comparison import Comparison

SAME_FEATURES = dg.AssetCheckSpec(
    "shadow_scores_same_features",
    asset=SHADOW_SCORES.key,
    description="The challenger is whole and reads the features that live decisions carry. If not, it is not "
    "scored: a vector of another catalog would give a number that means nothing.",
)


@dg.multi_asset(
    specs=[SHADOW_SCORES],
    check_specs=[schema_check(SHADOW_SCORES), SAME_FEATURES],
    backfill_policy=ONE_RUN,
    # It puts the rows of its days back with new ones: what another run wrote meanwhile would go.
    pool="shadow",
)
@retried
def shadow_scores(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    from bdp_assets.operations.shadow.challenger import (
        ChallengerUnusable,
        NoChallenger,
        OtherFeatures,
        challenger,
    )  # loads MLflow
    from bdp_assets.operations.shadow.scores import shadow_days, untouched

    days, unfit = days_of(context), ""
    try:
        scorer = challenger(get_settings())
        shadow = shadow_days(lake.open(), scorer, *days)
        told = {
            "challenger": scorer.info.version,
            "policy": scorer.policy.version,
            "scored now": shadow.scored,
        }
    except (NoChallenger, OtherFeatures, ChallengerUnusable) as none:
        context.log.warning("nothing is scored: %s", none)
        shadow, told = untouched(lake.open(), *days), {"skipped": str(none)}
        unfit = "" if isinstance(none, NoChallenger) else str(none)
    same_features = dg.AssetCheckResult(
        asset_key=SHADOW_SCORES.key,
        check_name=SAME_FEATURES.name,
        passed=not unfit,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reason": unfit or "nothing else is read"},
    )
    left_out = pl.DataFrame({"left out": list(shadow.left_out), "decisions": list(shadow.left_out.values())})
    metadata = {**told, "left out": markdown_table(left_out)}
    yield from publish(context, SHADOW_SCORES, shadow.rows, metadata, [same_features])


@dg.asset(
    key=["serving", "shadow_comparison"],
    deps=[SHADOW_SCORES, ["raw", "labels"]],
    automation_condition=hourly(),
    freshness_policy=HOURLY,
    owners=[MODEL_TEAM],
    kinds={"polars"},
    description="Challenger and champion on the same live decisions: review and decline rates, costs, "
    "decisions that differ, scores that differ, and once labels are due who was right. "
    "`bdp models shadow` shows the same.",
)
@retried
def shadow_comparison(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.shadow.challenger import (
        ChallengerUnusable,
        NoChallenger,
        OtherFeatures,
        challenger,
    )  # loads MLflow
    from bdp_assets.operations.shadow.comparison import NothingCompared, compare_shadow

    settings = get_settings()
    try:
        compared = compare_shadow(settings, challenger(settings).info)
    except (NoChallenger, OtherFeatures, ChallengerUnusable, NothingCompared) as none:
        context.log.warning("nothing is compared: %s", none)
        return dg.MaterializeResult(metadata={"skipped": str(none)})
    return dg.MaterializeResult(metadata=_shown(compared))


def _shown(compared: "Comparison") -> dict[str, Any]:
    from bdp_assets.monitoring.pictures import shadow_png  # loads matplotlib
    from bdp_assets.operations.shadow.tables import changes_table, live_table, matured_table

    matured = "not yet" if compared.matured is None else markdown_table(matured_table(compared.matured))
    return {
        "challenger": compared.challenger,
        "champions": ", ".join(compared.champions),
        "days": f"{compared.first} to {compared.last}",
        "transactions": len(compared.rows),
        "other decisions": compared.changed,
        "figures": markdown_table(live_table(compared)),
        "decisions": markdown_table(changes_table(compared)),
        "score differences": image(shadow_png(compared.rows)),
        "matured labels": matured,
        **({"waits": compared.waits} if compared.waits else {}),
    }
