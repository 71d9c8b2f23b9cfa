"""Sees what is new in the topics, by their watermarks alone."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.defs.ingest.landing import LandingConfig, RangeConfig, land_kafka_ranges
from bdp_assets.ingest.landing import DESTINATIONS
from bdp_assets.ingest.offsets import Watermarks, after, due_ranges, landed_offsets, run_key
from bdp_assets.settings import get_settings

RETRY_AFTER = timedelta(minutes=1)


@dg.sensor(
    job=land_kafka_ranges,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for one landing run at a time, with the offset ranges that are new in the topics. The "
    "cursor holds the next offset of each partition; after a run that failed, the lake says what it has.",
)
def kafka_transactions_landing_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    previous = _previous_run(context.instance)
    if previous is not None and not previous.dagster_run.is_finished:
        return dg.SkipReason(f"Landing run {previous.dagster_run.run_id} has not finished.")
    failed = None if previous is None or previous.dagster_run.is_success else previous
    if failed is not None and _just_ended(failed):
        return dg.SkipReason(f"Landing run {failed.dagster_run.run_id} failed; the next try is in a minute.")
    try:
        ends, ids = _topics()
    except (KafkaUnavailable, KafkaRefused) as error:
        return dg.SkipReason(str(error))
    return _request(context, ends, ids, failed)


def _request(
    context: dg.SensorEvaluationContext,
    ends: Watermarks,
    ids: Mapping[str, str],
    failed: dg.RunRecord | None,
) -> dg.SensorResult | dg.SkipReason:
    if context.cursor and failed is None:
        offsets = json.loads(context.cursor)
    else:
        offsets = landed_offsets(Lake.of(get_settings()), ends, ids)
    ranges = due_ranges(ends, ids, offsets)
    if not ranges:
        return dg.SkipReason("Nothing new in the topics.")
    config = LandingConfig(ranges=[RangeConfig(**vars(cut)) for cut in ranges])
    # Dagster starts no two runs of one key: ranges that are tried again say after which run.
    retry = f" after {failed.dagster_run.run_id}" if failed else ""
    request = dg.RunRequest(
        run_key=run_key(ranges) + retry, run_config=dg.RunConfig(ops={"land_ranges": config})
    )
    return dg.SensorResult(run_requests=[request], cursor=json.dumps(after(offsets, ranges)))


def _topics() -> tuple[Watermarks, Mapping[str, str]]:
    settings = get_settings()
    ends = watermarks(settings, list(DESTINATIONS))
    return ends, topic_ids(settings, sorted({topic for topic, _ in ends}))


def _previous_run(instance: dg.DagsterInstance) -> dg.RunRecord | None:
    records = instance.get_run_records(dg.RunsFilter(job_name=land_kafka_ranges.name), limit=1)
    return records[0] if records else None


def _just_ended(run: dg.RunRecord) -> bool:
    ended = datetime.fromtimestamp(run.end_time or 0, UTC)
    return datetime.now(UTC) - ended < RETRY_AFTER
