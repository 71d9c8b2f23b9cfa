"""What is appended comes back, whole and in order, and from where it begins."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bdp_assets.features.bulk import spill

FRAMES = [pl.DataFrame({"row": [n, n + 1], "text": [f"a{n}", None]}) for n in range(3)]


def test_frames_come_back_in_order(tmp_path: Path) -> None:
    begins = [spill.append(tmp_path / "part", frame) for frame in FRAMES]
    assert spill.read(tmp_path / "part", FRAMES[0].schema).equals(pl.concat(FRAMES))
    assert spill.read_at(tmp_path / "part", begins[1]).equals(FRAMES[1])
    assert begins[0] == 0


def test_a_file_that_never_was_is_empty(tmp_path: Path) -> None:
    assert spill.read(tmp_path / "part", FRAMES[0].schema).equals(FRAMES[0].clear())
