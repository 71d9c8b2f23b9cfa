"""The quality of every table of the lake, by day."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from bdp_assets.defs.freshness import HOURLY
from bdp_assets.defs.partitions import after_the_hour
from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import PLATFORM_TEAM
from bdp_assets.monitoring.quality.findings import MEANING, OF_HOURS, Check, Finding, as_frame, score_frame
from bdp_assets.operations.materialize import latest_day
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings

if TYPE_CHECKING:
    from bdp_assets.operations.quality.examination import Examination

KEY = dg.AssetKey(["monitoring", "quality_report"])
MOST_PICTURES = 4
CHECKS = {
    check: dg.AssetCheckSpec(f"quality_report_{check}", asset=KEY, description=MEANING[check])
    for check in Check
}


class QualityDays(dg.Config):
    """What a run looks at."""

    days: int = Field(default=3, ge=1, description="Latest days that are judged (again)")


@dg.asset(
    key=KEY,
    deps=[
        *(["raw", noun] for noun in ("transactions", "labels", "adjustments")),
        *(["clean", noun] for noun in ("transactions", "quarantined_transactions", "enriched_transactions")),
        ["features", "transactions"],
        *(["serving", noun] for noun in ("predictions", "batch_scores", "shadow_scores", "alerts")),
    ],
    check_specs=list(CHECKS.values()),
    freshness_policy=HOURLY,
    automation_condition=after_the_hour(),
    owners=[PLATFORM_TEAM],
    kinds={"polars", "postgres", "prometheus"},
    description="Schema, nulls, ranges, keys and references of the rows of the latest days; volume, "
    "freshness, repeats and late ones of their hours, against the same hour of past weeks. A score for each "
    "table and day. Kept in `warehouse.quality_checks` and `quality_scores`, and as metrics.",
)
@retried
def quality_report(
    context: dg.AssetExecutionContext, config: QualityDays, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    from bdp_assets.operations.quality.examination import examine  # loads Pandera
    from bdp_assets.operations.quality.keeping import keep  # loads SQLAlchemy

    settings, now = get_settings(), datetime.now(UTC)
    last = latest_day(settings)
    first = max(settings.raw_partitions_start, last - timedelta(days=config.days - 1))
    context.log.info("judge %s to %s", first, last)
    found = examine(lake.open(), first, last, now)
    metrics = keep(settings, found, now)
    return dg.MaterializeResult(
        check_results=[_result(check, found.of(check)) for check in Check],
        metadata={
            "days": f"{first} to {last}",
            "failed": markdown_table(_failed(found.findings)),
            "scores": markdown_table(score_frame(found.scores)),
            "metrics": dg.MetadataValue.path(str(metrics)),
            **_pictures(found),
        },
    )


def _result(check: Check, findings: list[Finding]) -> dg.AssetCheckResult:
    """A fault of rows is a fact; hours that are not as usual are a warning, and may have a good reason."""
    severity = dg.AssetCheckSeverity.WARN if check in OF_HOURS else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        check_name=CHECKS[check].name,
        passed=all(finding.passed is not False for finding in findings),
        severity=severity,
        description=_in_words(findings),
        metadata={
            "judged": sum(finding.passed is not None for finding in findings),
            "not judged": sum(finding.passed is None for finding in findings),
            "failed": markdown_table(_failed(findings)),
        },
    )


def _in_words(findings: Sequence[Finding]) -> str:
    """What the check's page says above its metadata, where a table is folded."""
    failed = [one for one in findings if one.passed is False]
    if not failed:
        return "As it should be wherever there was something to judge."
    told = [f"{one.table} on {one.day}: {one.failed} of {one.checked} {one.unit}" for one in failed]
    return "Not as it should be: " + "; ".join(told) + "."


def _failed(findings: Iterable[Finding]) -> Any:
    return as_frame(finding for finding in findings if finding.passed is False).drop("passed")


def _pictures(found: "Examination") -> dict[str, Any]:
    """The scores; then the tables' hours that are outside, or else the volume of what is clean."""
    from bdp_assets.monitoring.quality.pictures import hours_png, scores_png  # loads matplotlib

    red = {(f.table, f.check) for f in found.findings if f.passed is False}
    shown = [judged for judged in found.hours if (judged.table, judged.check) in red] or [
        judged for judged in found.hours if (judged.table, judged.check) == ("validated", Check.VOLUME)
    ]
    return {
        "plot of scores": image(scores_png(found.scores)),
        **{f"{one.check} of {one.table}": image(hours_png(one)) for one in shown[:MOST_PICTURES]},
    }
