from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.clients.lake import Lake, LakeSnapshot, LandingGap, OffsetRange, TableMissing, VersionGone
from bdp_assets_tests.effort import cases

DAY = date(2026, 3, 1)
TOPIC = "raw:uuid-of-the-topic:0"
HISTORY_OF_THE_DAY = "door = 'history' AND event_date >= '2026-03-01' AND event_date <= '2026-03-01'"


def frame(offsets: range, door: str = "stream", day: date = DAY) -> pl.DataFrame:
    schema = {"offset": pl.Int64, "door": pl.String, "event_date": pl.Date}
    return pl.DataFrame({"offset": list(offsets), "door": door, "event_date": day}, schema=schema)


def land(lake: Lake, start: int, end: int, application_id: str = TOPIC) -> bool:
    return lake.land_range(
        "raw", frame(range(start, end)), application_id=application_id, start=start, end=end
    )


def offsets(lake: Lake) -> list[int]:
    return sorted(lake.read("raw")["offset"].to_list()) if lake.exists("raw") else []


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


@settings(max_examples=cases(30))
@given(attempts=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)), max_size=8))
def test_whatever_ranges_are_tried_in_whatever_order_each_offset_lands_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, attempts: list[tuple[int, int]]
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    landed: tuple[int, int] | None = None
    for start, size in attempts:
        end = start + size
        follows = landed is None or start == landed[1]
        if follows:
            assert land(lake, start, end)
            landed = (landed[0] if landed else start, end)
        elif landed and end <= landed[1]:
            assert not land(lake, start, end)
        else:
            with pytest.raises(LandingGap):
                land(lake, start, end)
        assert offsets(lake) == list(range(*landed))
        assert lake.landed("raw", TOPIC) == landed[1]


def test_a_topic_that_was_made_anew_lands_its_low_offsets(lake: Lake) -> None:
    land(lake, 0, 5)
    assert land(lake, 0, 3, "raw:uuid-of-the-new-topic:0")
    assert offsets(lake) == [0, 0, 1, 1, 2, 2, 3, 4]


def test_one_gap_among_several_ranges_lands_none_of_them(lake: Lake) -> None:
    land(lake, 0, 5)
    with pytest.raises(LandingGap):
        lake.land_ranges(
            "raw",
            [OffsetRange("raw:u:1", 0, 2, frame(range(2))), OffsetRange(TOPIC, 6, 7, frame(range(6, 7)))],
        )
    assert offsets(lake) == [0, 1, 2, 3, 4]


def test_the_first_range_must_start_where_the_topic_does(lake: Lake) -> None:
    with pytest.raises(LandingGap):
        lake.land_ranges("raw", [OffsetRange(TOPIC, 10, 12, frame(range(10, 12)), earliest=7)])
    assert lake.land_ranges("raw", [OffsetRange(TOPIC, 7, 12, frame(range(7, 12)), earliest=7)])


def test_two_writers_at_once_land_a_range_once(lake: Lake) -> None:
    land(lake, 0, 5)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: land(lake, 5, 9), range(8)))
    assert sum(outcomes) == 1
    assert offsets(lake) == list(range(9))


def test_writers_of_different_partitions_do_not_hinder_each_other(lake: Lake) -> None:
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda number: land(lake, 0, 4, f"raw:u:{number}"), range(6)))
    assert all(outcomes)
    assert len(offsets(lake)) == 24


def test_replacing_a_day_leaves_other_days_and_the_other_door(lake: Lake) -> None:
    lake.append("raw", frame(range(3), "history"))
    lake.append("raw", frame(range(10, 12), "stream"))
    lake.append("raw", frame(range(20, 22), "history", DAY + timedelta(days=1)))
    for _ in range(2):
        lake.replace("raw", frame(range(100, 104), "history"), HISTORY_OF_THE_DAY)
        assert offsets(lake) == [10, 11, 20, 21, 100, 101, 102, 103]
    lake.replace("raw", frame(range(0), "history"), HISTORY_OF_THE_DAY)
    assert offsets(lake) == [10, 11, 20, 21]


def test_replacing_and_landing_at_once_keep_both(lake: Lake) -> None:
    history = frame(range(1000, 1100), "history")
    lake.append("raw", history)
    with ThreadPoolExecutor(2) as pool:
        backfill = pool.submit(lake.replace, "raw", history, HISTORY_OF_THE_DAY)
        landing = pool.submit(land, lake, 0, 5)
        backfill.result()
        assert landing.result()
    assert offsets(lake) == [*range(5), *range(1000, 1100)]


def test_a_version_can_be_read_again(lake: Lake) -> None:
    land(lake, 0, 5)
    version = lake.version("raw")
    land(lake, 5, 9)
    assert len(lake.read("raw", version=version)) == 5
    assert lake.count("raw") == 9


def test_reading_prunes_columns_days_and_rows(lake: Lake) -> None:
    lake.append("raw", frame(range(3)))
    lake.append("raw", frame(range(3, 6), day=DAY + timedelta(days=1)))
    read = lake.read("raw", ["offset"], (DAY, DAY), pl.col("offset") > 0)
    assert read.to_dict(as_series=False) == {"offset": [1, 2]}


def test_new_columns_widen_the_table(lake: Lake) -> None:
    lake.append("raw", frame(range(2)))
    lake.append("raw", frame(range(2, 3)).with_columns(risk=pl.lit(0.5)))
    assert lake.read("raw").sort("offset")["risk"].to_list() == [None, None, 0.5]


def test_a_table_that_is_not_there_says_what_to_do(lake: Lake) -> None:
    with pytest.raises(TableMissing, match="materialise"):
        lake.read("raw")
    assert lake.landed("raw", TOPIC) is None


def test_a_snapshot_has_some_tables_as_they_were_and_is_not_written_to(lake: Lake) -> None:
    land(lake, 0, 3)
    lake.append("labels", frame(range(2)))
    then = LakeSnapshot(lake.url, {"raw": lake.version("raw")})
    lake.replace("raw", frame(range(7, 9)), "event_date = '2026-03-01'")
    lake.append("labels", frame(range(2)))
    assert (offsets(then), offsets(lake)) == ([0, 1, 2], [7, 8])
    assert (then.version("raw"), then.count("raw"), then.landed("raw", TOPIC)) == (0, 3, 3)
    assert then.count("labels") == lake.count("labels") == 4
    for write in (
        lambda: then.append("raw", frame(range(1))),
        lambda: then.replace("raw", frame(range(1)), HISTORY_OF_THE_DAY),
        lambda: land(then, 3, 4),
    ):
        with pytest.raises(PermissionError, match="is not written to"):
            write()
    with pytest.raises(VersionGone, match="no version 9 of table raw"):
        LakeSnapshot(lake.url, {"raw": 9}).read("raw")
