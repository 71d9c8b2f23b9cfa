"""A BDP_HOME with a short simulated past, and Dagster's instance in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.settings import get_settings
from bdp_assets.simulator.world import World

FIRST, LAST = date(2026, 2, 1), date(2026, 2, 6)
_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of six days."""
    folder = tmp_path_factory.mktemp("history")
    World(seed=3, customers=20, merchants=30).history(date(2026, 2, 7), 6).write(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, history: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setenv("BDP_HISTORY_FILE", str(history / "transactions.parquet"))
    for replaced in ("BDP_HISTORY_MAPPING", "BDP_LAKE_URL"):
        monkeypatch.delenv(replaced, raising=False)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(str(home / "lake"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(
    instance: dg.DagsterInstance, job: str, first: date = FIRST, last: date = LAST
) -> dg.ExecuteInProcessResult:
    """One run of a job over a range of days; a failure is in the result."""
    from bdp_assets.definitions import defs

    tags = dict(zip(_RANGE, (first.isoformat(), last.isoformat()), strict=True))
    return defs.resolve_job_def(job).execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def judges_itself(result: dg.ExecuteInProcessResult) -> bool:
    """Whether each verdict of a run is kept as one on what this run wrote."""
    targets = [check.target_materialization_data for check in result.get_asset_check_evaluations()]
    return {target and target.run_id for target in targets} == {result.run_id}


def sorted_rows(lake: Lake, table: str) -> pl.DataFrame:
    rows = lake.read(table)
    return rows.sort(rows.columns)
