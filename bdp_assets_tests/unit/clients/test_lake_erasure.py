"""Rows leave a table for good, its files and its log, whatever is killed or written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bdp_assets.clients import lake_erasure
from bdp_assets.clients.lake import Lake, VersionGone
from bdp_assets.clients.lake_erasure import Rows, erase, find
from bdp_assets.clients.lake_upkeep import tend

NAME = "zz-nobody-else"
HIS = Rows(
    likely=lambda columns: pl.col("customer_id") == NAME, are=lambda frame: frame["customer_id"] == NAME
)
TOPIC = "t:uuid:0"


def day_of(day: int, *customers: str) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": customers, "event_date": [date(2026, 3, day)] * len(customers)})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A table of three days, with replaced files, an orphan, checkpoints, and landed offsets."""
    lake = Lake(str(tmp_path))
    lake.land_range("t", day_of(1, "aa", NAME), application_id=TOPIC, start=0, end=2)
    lake.land_range("t", day_of(2, NAME, NAME), application_id=TOPIC, start=2, end=4)
    lake.append("t", day_of(3, "bb", "cc"))
    lake.delta("t").create_checkpoint()
    lake.replace("t", day_of(1, "aa", NAME, "dd"), "event_date = '2026-03-01'")
    day_of(2, NAME).drop("event_date").write_parquet(
        tmp_path / "t" / "event_date=2026-03-02" / "left.parquet"
    )
    return lake


def traces(lake: Lake) -> list[str]:
    """Files under the table that have the name in them, read as what they are."""
    return [path.name for path, content in _contents(Path(lake.path("t"))) if NAME in content]


def _contents(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            yield path, str(pl.read_parquet(path, hive_partitioning=False).to_dicts())
        elif path.is_file():
            yield path, path.read_text(errors="replace")


def others(lake: Lake) -> pl.DataFrame:
    return lake.read("t").filter(pl.col("customer_id") != NAME).sort("customer_id")


def test_nothing_is_left_and_all_else_is_as_it_was(lake: Lake) -> None:
    before, version = others(lake), lake.version("t")
    found = find(lake, "t", HIS)
    assert found.rows == {date(2026, 3, 1): 1, date(2026, 3, 2): 2}
    assert len(found.old_files) == 2
    assert lake.version("t") == version, "to look changes nothing"
    assert traces(lake)

    rows, old_files = erase(lake, "t", HIS)
    assert (rows, old_files) == (3, 4), (
        "the first two days as they were, day 1 before that, and what a writer left"
    )
    assert traces(lake) == []
    assert_frame_equal(lake.read("t").sort("customer_id"), before)
    assert lake.landed("t", TOPIC) == 4
    with pytest.raises(VersionGone):
        lake.read("t", version=version)
    assert lake.land_range("t", day_of(2, "ee"), application_id=TOPIC, start=4, end=5)
    done = tend(lake, "t", retention=timedelta(days=7))
    assert done.after.rows == 5

    assert erase(lake, "t", HIS) == (0, 0)


@pytest.mark.parametrize("point", ["_rewrite", "_cut_log", "_delete_old_files"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_and_done_again_nothing_is_left(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, point: str, after: bool
) -> None:
    before, real = others(lake), getattr(lake_erasure, point)

    def dies(*given: object) -> None:
        if after:
            real(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lake_erasure, point, dies)
        erase(lake, "t", HIS)
    erase(lake, "t", HIS)
    assert traces(lake) == []
    assert_frame_equal(lake.read("t").sort("customer_id"), before)


def test_a_writer_that_began_before_writes_again_and_asks_again_who_is_let_in(lake: Lake) -> None:
    erased: list[str] = []
    asked = 0

    def admit(frame: pl.DataFrame) -> pl.DataFrame:
        nonlocal asked
        asked += 1
        kept = frame.filter(~pl.col("customer_id").is_in(erased))
        if asked == 1:  # the whole erasure happens between this answer and the commit
            erased.append(NAME)
            erase(lake, "t", HIS)
        return kept

    lake.replace("t", day_of(3, "bb", NAME), "event_date = '2026-03-03'", admit)
    assert asked == 2
    assert sorted(lake.read("t")["customer_id"]) == ["aa", "bb", "dd"]
    # What the failed attempt had written is nobody's file: the next erasure, or upkeep, deletes it.
    assert len(traces(lake)) == 1
    assert erase(lake, "t", HIS) == (0, 1)
    assert traces(lake) == []
