"""Slices are of like size, whole in each minute, and know what they have to look back on."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bdp_assets.features.bulk import spill
from bdp_assets.features.bulk.cuts import Slice, cut, lookback
from bdp_assets.features.times import MINUTE


def test_a_file_is_cut_by_time(tmp_path: Path) -> None:
    times = [9 * MINUTE, 1, 2 * MINUTE, 2 * MINUTE + 5, 0, 9 * MINUTE + 1]
    for ts_ms in times:
        spill.append(tmp_path / "events", pl.DataFrame({"ts_ms": [ts_ms]}))
    slices = cut(tmp_path / "events", tmp_path / "slices", 2)
    assert [(one.start, one.rows_before) for one in slices] == [(0, 0), (2 * MINUTE, 2), (9 * MINUTE, 4)]
    found = [spill.read(one.path, pl.Schema())["ts_ms"].to_list() for one in slices]
    assert found == [[1, 0], [2 * MINUTE, 2 * MINUTE + 5], [9 * MINUTE, 9 * MINUTE + 1]]
    assert not (tmp_path / "events").exists()


def test_one_minute_stays_whole(tmp_path: Path) -> None:
    spill.append(tmp_path / "events", pl.DataFrame({"ts_ms": [5, 6, 7, 8]}))
    assert len(cut(tmp_path / "events", tmp_path / "slices", 1)) == 1


def test_what_has_ended_before_the_reach_is_left_behind() -> None:
    slices = [Slice(Path(), start, 0) for start in (0, 100, 200, 300)]
    assert lookback(slices, 0) == [0, 1, 2, 3]
    assert lookback(slices, 100) == [0, 0, 1, 2]
    assert lookback(slices, 101) == [0, 0, 0, 1]
