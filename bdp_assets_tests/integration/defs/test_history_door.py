from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import FEATURES
from bdp_assets.ingest import files
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.unit.defs.conftest import FIRST, LAST, judges_itself, run, sorted_rows

TABLES = ("raw", "validated", "quarantined", "enriched", "features", "labels")


@pytest.fixture
def backfilled(lake: Lake, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    result = run(instance, "history_backfill")
    assert result.success
    return result


def test_a_backfill_of_all_days_is_one_run_that_fills_every_table(
    backfilled: dg.ExecuteInProcessResult, lake: Lake, instance: dg.DagsterInstance, history: Path
) -> None:
    sent = len(pl.read_parquet(history / "transactions.parquet"))
    assert lake.count("raw") == sent
    assert lake.count("validated") + lake.count("quarantined") == sent
    assert lake.count("enriched") == lake.count("features") == lake.count("validated")
    assert len(instance.get_runs()) == 1
    done = instance.get_materialized_partitions(dg.AssetKey(["features", "transactions"]))
    assert done == {(FIRST + timedelta(days=n)).isoformat() for n in range(6)}


def test_every_check_was_made_and_passed(backfilled: dg.ExecuteInProcessResult) -> None:
    checks = backfilled.get_asset_check_evaluations()
    assert len(checks) == 8
    assert all(check.passed for check in checks)


def test_each_verdict_is_on_what_its_own_run_wrote(
    backfilled: dg.ExecuteInProcessResult, instance: dg.DagsterInstance
) -> None:
    assert judges_itself(backfilled)
    assert judges_itself(run(instance, "history_backfill"))


def test_a_day_shows_its_own_number_of_rows(
    backfilled: dg.ExecuteInProcessResult, lake: Lake, instance: dg.DagsterInstance
) -> None:
    (record,) = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(["clean", "transactions"]), asset_partitions=["2026-02-03"]),
        limit=5,
    ).records
    materialization = record.asset_materialization
    assert materialization is not None
    rows = lake.read("validated", dates=(date(2026, 2, 3), date(2026, 2, 3)))
    assert materialization.metadata["dagster/partition_row_count"].value == len(rows)


def test_the_same_days_again_change_nothing(
    backfilled: dg.ExecuteInProcessResult, lake: Lake, instance: dg.DagsterInstance
) -> None:
    before = {table: sorted_rows(lake, table) for table in TABLES}
    assert run(instance, "history_backfill").success
    for table, rows in before.items():
        assert sorted_rows(lake, table).equals(rows), table


def test_one_day_of_the_middle_again_changes_nothing(
    backfilled: dg.ExecuteInProcessResult, lake: Lake, instance: dg.DagsterInstance
) -> None:
    before = {table: sorted_rows(lake, table) for table in TABLES}
    day = date(2026, 2, 4)
    assert run(instance, "history_backfill", day, day).success
    for table, rows in before.items():
        assert sorted_rows(lake, table).equals(rows), table


def test_streamed_rows_of_a_backfilled_day_stay(
    backfilled: dg.ExecuteInProcessResult, lake: Lake, instance: dg.DagsterInstance
) -> None:
    live = {"door": pl.lit("stream"), "transaction_id": pl.lit("live-") + pl.col("transaction_id")}
    for table in ("validated", "enriched", "labels"):
        lake.append(table, lake.read(table).head(1).with_columns(**live))
    lake.append("raw", lake.read("raw").head(1).with_columns(door=pl.lit("stream")))
    dead = pl.DataFrame({"source_topic": ["transactions-raw-v1"], "event_date": [FIRST]})
    lake.append("quarantined", dead)
    assert run(instance, "history_backfill").success
    for table in ("raw", "validated", "enriched", "labels"):
        assert lake.read(table).filter(door="stream").height == 1, table
    assert lake.read("quarantined").filter(source_topic="transactions-raw-v1").height == 1


def test_decisions_of_history_are_made_again_from_the_lake_alone(
    backfilled: dg.ExecuteInProcessResult, lake: Lake, instance: dg.DagsterInstance, home: Path
) -> None:
    tiny_bundle(home / "models" / "champion")
    result = run(instance, "decide_history")
    assert result.success
    assert lake.read("predictions")[FEATURES].unique().to_list() == ["{}"]
    replay = evaluation(result, "predictions_replay")
    assert replay.passed
    assert replay.metadata["replayed"].value == min(200, lake.count("predictions"))
    assert replay.metadata["outcomes"].value.splitlines()[2:] == [
        f"| equal |  | {replay.metadata['replayed'].value} |"
    ]
    bent = lake.read("predictions").with_columns(fraud_probability=pl.col("fraud_probability") / 2)
    lake.replace("predictions", bent, "decided_by = 'batch'")
    assert not evaluation(run(instance, "compare_served_features"), "predictions_replay").passed


def evaluation(result: dg.ExecuteInProcessResult, check: str) -> dg.AssetCheckEvaluation:
    [found] = [one for one in result.get_asset_check_evaluations() if one.check_name == check]
    return found


def test_a_frame_that_breaks_its_contract_is_not_published_and_stops_what_follows(
    lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = files.label_rows
    monkeypatch.setattr(
        files, "label_rows", lambda *args: read(*args).with_columns(known_at_ms=pl.lit(-1, pl.Int64))
    )
    result = run(instance, "history_backfill")
    assert not result.success
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert [check.check_name for check in failed] == ["labels_schema"]
    assert "known_at_ms" in str(failed[0].metadata["failures"].value)
    assert not lake.exists("labels")
    assert not lake.exists("enriched")
    assert lake.exists("validated"), "what does not depend on labels goes on"


def test_refused_rows_are_quarantined_with_their_reason(
    lake: Lake, instance: dg.DagsterInstance, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bdp_assets.settings import get_settings

    rows = pl.read_parquet(history / "transactions.parquet")
    amounts = pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("-5")).otherwise("amount").alias("amount")
    broken = tmp_path / "broken.parquet"
    repeated, altered = rows.slice(1, 3), rows.slice(4, 1).with_columns(amount=pl.lit("7"))
    pl.concat([rows.with_columns(amounts), repeated, altered]).write_parquet(broken)
    (tmp_path / "labels.parquet").write_bytes((history / "labels.parquet").read_bytes())
    monkeypatch.setenv("BDP_HISTORY_FILE", str(broken))
    get_settings.cache_clear()
    assert run(instance, "history_backfill").success
    reasons = dict(lake.read("quarantined").group_by("error").len().iter_rows())
    assert sum(reasons.values()) + lake.count("validated") == len(rows) + 4
    assert set(reasons) == {"out_of_range", "duplicate", "conflict"}


def test_without_a_file_the_days_stay_as_they_are(
    backfilled: dg.ExecuteInProcessResult,
    lake: Lake,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bdp_assets.settings import get_settings

    before = sorted_rows(lake, "features")
    monkeypatch.delenv("BDP_HISTORY_FILE")
    get_settings.cache_clear()
    assert run(instance, "history_backfill").success
    assert sorted_rows(lake, "features").equals(before)
    assert LAST in before["event_date"].to_list()


def test_without_a_file_and_a_past_there_are_no_rows_and_no_error(
    lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bdp_assets.settings import get_settings

    monkeypatch.delenv("BDP_HISTORY_FILE")
    get_settings.cache_clear()
    assert run(instance, "history_backfill").success
    assert lake.count("features") == 0
