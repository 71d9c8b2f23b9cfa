"""The report of quality: an asset run on a real lake, kept in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.definitions import defs
from bdp_assets.monitoring.quality.findings import OF_HOURS, Check
from bdp_assets.settings import Settings, get_settings
from bdp_assets_tests.fakes.quality_lake import DAY, TABLE_DAYS, sound_lake
from bdp_assets_tests.integration.warehouse.conftest import query

pytestmark = pytest.mark.services
REPORT = dg.AssetKey(["monitoring", "quality_report"])


@pytest.fixture
def environment(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """That of a run, and its lake."""
    lake = sound_lake(str(tmp_path / "lake"))
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setenv("BDP_POSTGRES_URL", settings.postgres())
    monkeypatch.setenv("BDP_LAKE_URL", lake.url)
    monkeypatch.setenv("BDP_PARTITIONS_END", DAY.isoformat())
    get_settings.cache_clear()
    yield lake
    get_settings.cache_clear()


def report() -> dg.ExecuteInProcessResult:
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[REPORT], instance=dg.DagsterInstance.ephemeral()
    )


def failed_checks(run: dg.ExecuteInProcessResult) -> set[str]:
    assert run.success
    checks = run.get_asset_check_evaluations()
    assert {check.check_name for check in checks} == {f"quality_report_{check}" for check in Check}
    warnings = {check.check_name for check in checks if check.severity == dg.AssetCheckSeverity.WARN}
    assert warnings == {f"quality_report_{check}" for check in OF_HOURS}
    return {check.check_name for check in checks if not check.passed}


def test_a_defect_shows_in_the_report_the_warehouse_and_the_metrics(
    environment: Lake, settings: Settings, tmp_path: Path
) -> None:
    assert failed_checks(report()) == set()
    kept = "SELECT table_name, score, worst_check FROM warehouse.quality_scores WHERE day = %s ORDER BY 1"
    tables = ["enriched", "labels", "predictions", "quarantined", "raw", "validated"]
    assert query(settings, kept, [DAY]) == [(table, 100, None) for table in tables]

    wrong = environment.read("predictions", dates=(DAY, DAY)).with_columns(fraud_probability=pl.lit(1.5))
    environment.replace("predictions", wrong, TABLE_DAYS)
    hour = environment.read("raw", dates=(DAY, DAY)).filter(pl.col("received_ms") % 86_400_000 < 3_600_000)
    for more in (10**7, 10**8, 10**9):
        environment.append("raw", hour.with_columns(offset=pl.col("offset") + more))
    run = report()
    assert failed_checks(run) == {"quality_report_ranges", "quality_report_volume"}
    scores = {table: (score, worst) for table, score, worst in query(settings, kept, [DAY])}
    assert (scores["predictions"], scores["validated"]) == ((0, "ranges"), (100, None))
    assert scores["raw"] == (pytest.approx(100 * 23 / 24), "volume")
    red = "SELECT table_name, check_name, checked, failed, detail FROM warehouse.quality_checks"
    ranges, volume = sorted(query(settings, f"{red} WHERE NOT passed"))
    rows = len(wrong)
    told = f"fraud_probability: in_range(0, 1) ({rows} rows)"
    assert ranges == ("predictions", "ranges", rows, rows, told)
    assert volume[:4] == ("raw", "volume", 24, 1)
    assert volume[4].startswith("00:00 80 rows, usual 20 (")

    [event] = run.asset_materializations_for_node("monitoring__quality_report")
    plots = [name for name, value in event.metadata.items() if "data:image/png" in str(value.value)]
    assert plots == ["plot of scores", "volume of raw"]
    metrics = (tmp_path / "metrics" / "quality.prom").read_text()
    assert 'bdp_quality_score_ratio{table="predictions"} 0.0' in metrics
    assert 'bdp_quality_check_failed_info{check="volume",table="raw"} 1.0' in metrics
    assert 'bdp_quality_check_failed_info{check="nulls",table="raw"} 0.0' in metrics
