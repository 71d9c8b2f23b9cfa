"""Which files the IO manager touches: those of other days are spoilt, so that whoever reads one fails."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.io_managers.delta import DeltaIOManager
from bdp_assets.settings import get_settings

DAYS = dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-03-05")
SINGLE_RUN = dg.BackfillPolicy.single_run()
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def rows(*days: int) -> pl.DataFrame:
    return pl.DataFrame({"day": days, "door": "history", "event_date": [date(2026, 3, day) for day in days]})


@dg.asset(
    partitions_def=DAYS,
    io_manager_key="tables",
    backfill_policy=SINGLE_RUN,
    metadata={"table": "raw", "replaces": "door = 'history'"},
)
def raw() -> pl.DataFrame:
    return rows(2, 2)


@dg.asset(partitions_def=DAYS, backfill_policy=SINGLE_RUN)
def days_read(context: dg.AssetExecutionContext, raw: pl.DataFrame) -> None:
    context.add_output_metadata({"days": sorted(raw["day"].to_list())})


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """Four days, a file each."""
    monkeypatch.setenv("BDP_LAKE_URL", str(tmp_path))
    get_settings.cache_clear()
    lake = Lake(str(tmp_path))
    for day in range(1, 5):
        lake.append("raw", rows(day))
    yield lake
    get_settings.cache_clear()


def files(lake: Lake, day: int) -> list[Path]:
    return list(Path(lake.path("raw"), f"event_date=2026-03-0{day}").iterdir())


def spoil(lake: Lake, *days: int) -> None:
    for day in days:
        for file in files(lake, day):
            file.write_bytes(b"x" * file.stat().st_size)


def materialise(asset: dg.AssetsDefinition, first: int, last: int) -> dict[str, dg.MetadataValue]:  # type: ignore[type-arg]
    """Metadata of the asset after a run over days of March."""
    tags = dict(zip(RANGE, (f"2026-03-0{first}", f"2026-03-0{last}"), strict=True))
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [raw, days_read],
            instance=instance,
            selection=[asset],
            tags=tags,
            resources={"tables": DeltaIOManager()},
        )
        return dict(done.asset_materializations_for_node(asset.key.path[-1])[0].metadata)


def days(first: int, last: int) -> object:
    return materialise(days_read, first, last)["days"].value


def test_an_input_reads_the_files_of_its_days_only(lake: Lake) -> None:
    spoil(lake, 1, 4)
    assert days(2, 3) == [2, 3]
    assert days(3, 3) == [3]
    with pytest.raises(pl.exceptions.PolarsError):
        days(3, 4)


def test_an_output_neither_reads_nor_writes_files_of_other_days(lake: Lake) -> None:
    spoil(lake, 1, 4)
    before = {day: files(lake, day) for day in (1, 4)}
    assert materialise(raw, 2, 2)["rows written"].value == 2
    assert days(2, 3) == [2, 2, 3]
    assert {day: files(lake, day) for day in (1, 4)} == before
