from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from bdp_assets.clients import lake_upkeep
from bdp_assets.clients.lake import Lake, VersionGone
from bdp_assets.clients.lake_upkeep import tend

TOPIC = "raw:uuid-of-the-topic:0"
WEEK, NONE = timedelta(days=7), timedelta()
COMMITS = 101  # a commit makes a checkpoint, and would clean up, after 100


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


def land(lake: Lake, first: int, end: int) -> None:
    """A commit and a file for each offset, of two days in turn."""
    for offset in range(first, end):
        day = date(2026, 3, 1 + offset % 2)
        frame = pl.DataFrame({"offset": [offset], "event_date": [day]})
        lake.land_range("raw", frame, application_id=TOPIC, start=offset, end=offset + 1)


def rows(lake: Lake, version: int | None = None) -> pl.DataFrame:
    return lake.read("raw", version=version).sort("offset")


def files(lake: Lake) -> int:
    return len(list(Path(lake.path("raw")).glob("event_date=*/*.parquet")))


def age(lake: Lake, days: int) -> None:
    """Move the log so many days into the past."""
    for file in Path(lake.path("raw"), "_delta_log").iterdir():
        made = file.stat().st_mtime - days * 86_400
        os.utime(file, (made, made))


def test_many_small_commits_become_few_files_with_the_same_rows(lake: Lake) -> None:
    land(lake, 0, 20)
    before = rows(lake)
    done = tend(lake, "raw", retention=WEEK)
    assert_frame_equal(rows(lake), before)
    assert (done.before.files, done.before.small_files, done.before.rows) == (20, 20, 20)
    assert (done.after.files, done.after.small_files, done.after.rows) == (2, 0, 20)
    assert done.after.version == lake.version("raw")
    assert not done.deferred
    again = tend(lake, "raw", retention=WEEK)
    assert again.before == again.after == done.after, "there is nothing left to do, so nothing is committed"


def test_landing_goes_on_where_it_was(lake: Lake) -> None:
    land(lake, 0, 9)
    tend(lake, "raw", retention=NONE)
    age(lake, 60)
    assert tend(lake, "raw", retention=NONE).oldest_version > 8, "no commit of a landing is left"
    assert lake.landed("raw", TOPIC) == 9
    assert not lake.land_range("raw", rows(lake).head(1), application_id=TOPIC, start=0, end=1)
    land(lake, 9, 12)
    assert rows(lake)["offset"].to_list() == list(range(12))


def test_old_versions_last_until_their_retention_and_named_ones_longer(lake: Lake) -> None:
    land(lake, 0, 6)
    named, other = lake.version("raw"), lake.version("raw") - 1
    then = rows(lake)
    land(lake, 6, 10)
    unnamed = lake.version("raw")
    within = tend(lake, "raw", retention=WEEK)
    assert (within.deleted_files, len(rows(lake, other)), len(rows(lake, named))) == (0, 5, 6)

    after = tend(lake, "raw", retention=NONE, named=[named, 999])
    assert (after.kept, after.gone, after.deleted_files) == ([named], [999], 4)
    assert_frame_equal(rows(lake, named), then)
    with pytest.raises(VersionGone, match=f"no version {unnamed} of table raw"):
        rows(lake, unnamed)

    last = tend(lake, "raw", retention=NONE)
    assert (last.kept, last.deleted_files, files(lake)) == ([], 6, 2)
    with pytest.raises(VersionGone, match=f"no version {named} of table raw"):
        rows(lake, named)
    assert rows(lake)["offset"].to_list() == list(range(10))


def test_the_log_is_cut_behind_what_can_still_be_asked_for(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(lake, 0, 4)
    tend(lake, "raw", retention=WEEK)
    age(lake, 30)
    land(lake, 4, 8)
    named, then, committed = lake.version("raw"), rows(lake), datetime.now(UTC)
    tend(lake, "raw", retention=WEEK)
    age(lake, 60)
    land(lake, 8, COMMITS)
    assert len(rows(lake, named)) == 8, "no commit cleans up by itself"
    made = lake_upkeep._made(lake, "raw", named)
    assert made and made <= committed < made + timedelta(minutes=1)
    monkeypatch.setattr(lake_upkeep, "_made", lambda *_: made - timedelta(days=60))
    done = tend(lake, "raw", retention=WEEK, named=[named])
    assert 4 < done.oldest_version <= named
    assert_frame_equal(rows(lake, named), then)
    with pytest.raises(VersionGone):
        lake.delta("raw", 2)
    assert rows(lake)["offset"].to_list() == list(range(COMMITS))


def test_upkeeps_and_writers_at_once_lose_and_double_nothing(lake: Lake) -> None:
    land(lake, 0, 12)
    fixed = pl.DataFrame({"offset": [0], "event_date": [date(2026, 3, 1)]})

    def replace() -> None:
        for _ in range(4):
            lake.replace("raw", fixed, "event_date = '2026-03-01' AND offset = 0")

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(land, lake, 12, 30), pool.submit(replace)]
        upkeeps = [pool.submit(tend, lake, "raw", retention=WEEK) for _ in range(3)]
        for done in [*writers, *upkeeps]:
            done.result()
    assert rows(lake)["offset"].to_list() == list(range(30))
    assert lake.landed("raw", TOPIC) == 30


def test_where_others_are_always_faster_the_table_is_left_as_it_is(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(lake, 0, 6)
    claim = lake_upkeep.claimed

    def overtaken(target: DeltaTable) -> DeltaTable:
        claimed = claim(target)
        claim(lake.delta("raw"))
        return claimed

    monkeypatch.setattr(lake_upkeep, "claimed", overtaken)
    done = tend(lake, "raw", retention=WEEK)
    assert (done.deferred, done.after.files) == (True, 6)
    assert rows(lake)["offset"].to_list() == list(range(6))
