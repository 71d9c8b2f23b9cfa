from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.kafka import KafkaUnavailable
from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import columns, topics
from bdp_assets.definitions import defs
from bdp_assets.defs.ingest import landing, sensors
from bdp_assets.ingest.landing import DESTINATIONS, Landed, TopicRange

RAW = topics.RAW.name
JOB = "land_kafka_ranges"


class Topics:
    """Watermarks that a test sets."""

    def __init__(self) -> None:
        self.ends: dict[tuple[str, int], tuple[int, int]] = {}
        self.ids = dict.fromkeys(DESTINATIONS, "id-1")
        self.down = False

    def watermarks(self, *_: object) -> dict[tuple[str, int], tuple[int, int]]:
        if self.down:
            raise KafkaUnavailable("localhost:9092", "connection refused")
        return self.ends

    def topic_ids(self, _settings: object, names: list[str]) -> dict[str, str]:
        return {name: self.ids[name] for name in names}


@pytest.fixture
def kafka(home: Path, monkeypatch: pytest.MonkeyPatch) -> Topics:
    fake = Topics()
    monkeypatch.setattr(sensors, "watermarks", fake.watermarks)
    monkeypatch.setattr(sensors, "topic_ids", fake.topic_ids)
    return fake


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    return sensors.kafka_transactions_landing_sensor(context)


def ranges(result: dg.SensorResult) -> list[tuple[str, int, int, int]]:
    (request,) = result.run_requests or []
    config = request.run_config["ops"]["land_ranges"]["config"]["ranges"]
    return [(cut["topic_id"], cut["partition"], cut["start"], cut["end"]) for cut in config]


def add_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    job = defs.resolve_job_def(JOB)
    config = {"ops": {"land_ranges": {"config": {"ranges": []}}}}
    return instance.create_run_for_job(job, run_config=config, status=status).run_id


def test_new_offsets_ask_for_one_run_that_reads_exactly_them(
    kafka: Topics, instance: dg.DagsterInstance
) -> None:
    kafka.ends = {(RAW, 0): (0, 10), (RAW, 1): (5, 7), (topics.DLQ.name, 0): (0, 0)}
    result = tick(instance)
    assert ranges(result) == [("id-1", 0, 0, 10), ("id-1", 1, 5, 7)]
    assert result.run_requests[0].run_key == f"{RAW}:0:0-10 {RAW}:1:5-7"
    kafka.ends[RAW, 0] = (0, 12)
    assert ranges(tick(instance, result.cursor)) == [("id-1", 0, 10, 12)]


def test_nothing_new_is_said_and_asks_for_nothing(kafka: Topics, instance: dg.DagsterInstance) -> None:
    kafka.ends = {(RAW, 0): (0, 10)}
    cursor = tick(instance).cursor
    assert "Nothing new" in tick(instance, cursor).skip_message


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_one_landing_run_at_a_time(
    kafka: Topics, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    kafka.ends = {(RAW, 0): (0, 10)}
    run_id = add_run(instance, status)
    assert run_id in tick(instance).skip_message


def test_after_a_run_that_failed_the_lake_says_what_is_due_and_the_key_is_new(
    kafka: Topics, instance: dg.DagsterInstance, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "_just_ended", lambda run: False)
    kafka.ends = {(RAW, 0): (0, 10), (RAW, 1): (0, 4)}
    first = tick(instance)
    empty = pl.DataFrame(schema=columns.RAW)
    lake.land_range("raw", empty, application_id="raw:id-1:1", start=0, end=4)
    run_id = add_run(instance, dg.DagsterRunStatus.FAILURE)
    again = tick(instance, first.cursor)
    assert ranges(again) == [("id-1", 0, 0, 10)]
    assert run_id in again.run_requests[0].run_key


def test_a_failed_run_is_not_followed_at_once(kafka: Topics, instance: dg.DagsterInstance) -> None:
    kafka.ends = {(RAW, 0): (0, 10)}
    run_id = add_run(instance, dg.DagsterRunStatus.STARTED)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run)
    assert "failed" in tick(instance).skip_message


def test_a_topic_that_was_made_anew_is_read_from_its_start(
    kafka: Topics, instance: dg.DagsterInstance
) -> None:
    kafka.ends = {(RAW, 0): (0, 10)}
    cursor = tick(instance).cursor
    kafka.ids[RAW], kafka.ends[RAW, 0] = "id-2", (0, 3)
    assert ranges(tick(instance, cursor)) == [("id-2", 0, 0, 3)]


def test_kafka_away_is_a_skip_with_the_reason(kafka: Topics, instance: dg.DagsterInstance) -> None:
    kafka.down = True
    assert "does not answer" in tick(instance).skip_message


def landed_raw(days: list[str], failures: int = 0) -> Landed:
    rows = pl.DataFrame({"event_date": days}).with_columns(pl.col("event_date").str.to_date())
    faults = pl.DataFrame({"check": ["dtype"] * failures})
    cut = TopicRange(RAW, "id-1", 0, 0, len(days), 0)
    return Landed(DESTINATIONS[RAW], (cut,), rows, pl.DataFrame(), faults)


def execute(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    cut = {"topic": RAW, "topic_id": "id-1", "partition": 0, "start": 0, "end": 3, "earliest": 0}
    config = {"ops": {"land_ranges": {"config": {"ranges": [cut]}}}}
    job = defs.resolve_job_def(JOB)
    return job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)


def test_landing_reports_the_days_of_the_same_asset_that_the_history_door_fills(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "land", lambda *_: landed_raw(["2026-02-03", "2026-02-03", "2024-01-15"]))
    assert execute(instance).success
    key = dg.AssetKey(["raw", "transactions"])
    assert instance.get_materialized_partitions(key) == {"2026-02-03"}
    records = instance.fetch_materializations(key, limit=9).records
    by_day = {r.partition_key: r.asset_materialization.metadata["rows landed"].value for r in records}  # type: ignore[union-attr]
    assert by_day == {"2026-02-03": 2, None: 1}


@pytest.mark.parametrize("is_behind", [False, True])
def test_a_landing_run_says_what_became_of_the_raw_rows_of_its_days(
    home: Path, lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, is_behind: bool
) -> None:
    """Two came, minutes apart. The later one is validated, and this run lands that."""
    raw = {"partition": [0, 0], "offset": [7, 9], "received_ms": [0, 600_000], "door": ["stream"] * 2}
    day = pl.Series("event_date", ["2026-02-03"] * 2).str.to_date()
    lake.append("raw", pl.DataFrame(raw).with_columns(day, pl.col("partition").cast(pl.Int32)))
    source = {"source_topic_id": ["id-1"], "source_partition": [0], "source_offset": [9]}
    rows = pl.DataFrame(source).with_columns(day.head(1))
    lake.append("validated", rows)
    cut = TopicRange(topics.VALIDATED.name, "id-2", 0, 0, 3, 0, latest=4 if is_behind else 3)
    landed = Landed(DESTINATIONS[cut.topic], (cut,), rows, pl.DataFrame(), pl.DataFrame())
    monkeypatch.setattr(landing, "land", lambda *_: landed)
    (check,) = (
        check
        for check in execute(instance).get_asset_check_evaluations()
        if check.check_name == "transactions_reconciled"
    )
    assert check.passed is is_behind
    told = {name: value.value for name, value in check.metadata.items()}
    assert (told["days"], told["raw"], told["clean"]) == ("2026-02-03", 2, 1)
    assert (told["on_their_way"], told["lost"]) == ((1, 0) if is_behind else (0, 1))


def test_a_failed_audit_fails_the_run_and_reports_no_day(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "land", lambda *_: landed_raw(["2026-02-03"], failures=1))
    result = execute(instance)
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.blocking) == ("transactions_schema", False, True)
    assert not instance.get_materialized_partitions(dg.AssetKey(["raw", "transactions"]))
