"""The live door: one run lands exactly the offset ranges it is given (see `sensors.py`) in the lake's tables.

The tables' history door is in `assets.py` of each group. Here their days are reported as materialised, so
that both doors are one asset, and what depends on it follows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from bdp_assets.clients.lake import Lake, LandingGap
from bdp_assets.contracts.records import Door
from bdp_assets.defs.enrich.assets import ENRICHED
from bdp_assets.defs.ingest.assets import ADJUSTMENTS, LABELS, RAW
from bdp_assets.defs.lineage import column_lineage
from bdp_assets.defs.partitions import DAYS
from bdp_assets.defs.presentation import markdown_table, refusals
from bdp_assets.defs.serving.tables import ALERTS, PREDICTIONS
from bdp_assets.defs.tables import schema_check
from bdp_assets.defs.validate.assets import CLEAN, QUARANTINED, RECONCILED
from bdp_assets.ingest import reconcile
from bdp_assets.ingest.landing import DESTINATIONS, Landed, TopicRange, land
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings

SPECS: Mapping[str, dg.AssetSpec] = {
    spec.metadata["table"]: spec
    for spec in (RAW, LABELS, ADJUSTMENTS, CLEAN, QUARANTINED, ENRICHED, PREDICTIONS, ALERTS)
}
MOST_SECONDS = 300
"""A landing run whose machine died is given up after this, so that the next one may start."""


class RangeConfig(dg.Config):
    """Offsets `start` up to, not including, `end`; `earliest` and `latest` were the partition's ends then."""

    topic: str
    topic_id: str
    partition: int
    start: int
    end: int
    earliest: int
    latest: int | None = None


class LandingConfig(dg.Config):
    ranges: list[RangeConfig]


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Read the ranges, audit them, append them to the tables of their topics: each once, ever.",
)
def land_ranges(context: dg.OpExecutionContext, config: LandingConfig, lake: LakeResource) -> Iterator[Any]:
    problems: list[str] = []
    done: list[Landed] = []
    for ranges in _by_topic([TopicRange(**cut.model_dump()) for cut in config.ranges]):
        try:
            landed = land(get_settings(), lake.open(), ranges)
        except LandingGap as gap:
            problems.append(str(gap))
            continue
        context.log.info("%s: %d rows of %s", landed.destination.table, len(landed.rows), ranges[0].topic)
        yield _audit(landed)
        if landed.failures.is_empty():
            yield from _materializations(landed)
            done.append(landed)
        else:
            problems.append(f"{ranges[0].topic} is not landed: its rows break the contract of their table.")
    if problems:
        raise dg.Failure(" ".join(problems))
    yield from _reconciled(lake.open(), done)
    yield dg.Output(None)


@dg.job(
    executor_def=dg.in_process_executor,
    tags={"bdp/lane": "landing", "dagster/priority": "10", "dagster/max_runtime": str(MOST_SECONDS)},
    description="Land offset ranges of the topics in the lake; started by kafka_transactions_landing_sensor.",
)
def land_kafka_ranges() -> None:
    land_ranges()


def _by_topic(ranges: Sequence[TopicRange]) -> list[list[TopicRange]]:
    """The ranges of each topic, upstream topics first."""
    groups = ([cut for cut in ranges if cut.topic == topic] for topic in DESTINATIONS)
    return [group for group in groups if group]


def _audit(landed: Landed) -> dg.AssetCheckEvaluation:
    spec = SPECS[landed.destination.table]
    check = schema_check(spec)
    return dg.AssetCheckEvaluation(
        asset_key=spec.key,
        check_name=check.name,
        passed=landed.failures.is_empty(),
        blocking=check.blocking,
        metadata={
            "rows": len(landed.rows),
            "failures": markdown_table(landed.failures),
            **_refused(landed),
        },
    )


def _reconciled(lake: Lake, done: Sequence[Landed]) -> Iterator[dg.AssetCheckEvaluation]:
    """What became of the raw rows that this run brought, or brought the outcomes of."""
    landed = {run.destination.table: run for run in done}
    days = {day for table in ("raw", "quarantined") if table in landed for day in landed[table].rows_by_day}
    if "validated" in landed:
        days |= reconcile.days_of(lake, landed["validated"].rows)
    if not days:
        return
    outcomes = [landed[table] for table in ("validated", "quarantined") if table in landed]
    is_behind = any(cut.is_behind for run in outcomes for cut in run.ranges)
    found = reconcile.reconcile(lake, days, is_behind=is_behind)
    yield dg.AssetCheckEvaluation(
        asset_key=CLEAN.key,
        check_name=RECONCILED.name,
        passed=found.holds,
        blocking=RECONCILED.blocking,
        metadata={"days": ", ".join(map(str, sorted(days))), "door": Door.STREAM.value, **vars(found)},
    )


def _materializations(landed: Landed) -> Iterator[dg.AssetMaterialization]:
    """One a day that has a partition, and one without for the days that have none."""
    outside = 0
    for day, rows in landed.rows_by_day.items():
        if DAYS.has_partition_key(day.isoformat()):
            yield _materialization(landed, rows, day.isoformat())
        else:
            outside += rows
    if outside:
        yield _materialization(landed, outside, None)


def _refused(landed: Landed) -> Mapping[str, Any]:
    """What this run brought into quarantine, as tables."""
    refused = landed.rows if SPECS[landed.destination.table] is QUARANTINED else landed.rejects
    return {} if refused.is_empty() else refusals(refused)


def _materialization(landed: Landed, rows: int, day: str | None) -> dg.AssetMaterialization:
    offsets = [f"{cut.partition}: {cut.start}-{cut.end}" for cut in landed.ranges]
    return dg.AssetMaterialization(
        SPECS[landed.destination.table].key,
        partition=day,
        metadata={
            "door": Door.STREAM.value,
            "rows landed": rows,
            "rows quarantined": len(landed.rejects),
            "topic": landed.destination.topic,
            "offsets": dg.MetadataValue.json(offsets),
            **column_lineage(landed.destination.table),
            **_refused(landed),
        },
    )
