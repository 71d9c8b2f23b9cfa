"""Time slices of a bucket that holds more than fits, as that of one very busy merchant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from bdp_assets.features.bulk import spill
from bdp_assets.features.times import MINUTE

GRAIN = MINUTE
"""Cuts are at multiples of this (ms): what is counted to find them stays small."""


class Slice(NamedTuple):
    """Rows with `start` <= ts_ms, up to the next slice. `rows_before`: how many are in earlier ones."""

    path: Path
    start: int
    rows_before: int


def cut(path: Path, folder: Path, most: int) -> list[Slice]:
    """Move a file's rows into slices of about `most` rows, by time. What happens in one GRAIN stays whole."""
    sizes = _sizes(path)
    grains = sorted(sizes)
    before = [0, *accumulate(sizes[grain] for grain in grains)]
    parts = -(-before[-1] // most)
    part = [rows * parts // before[-1] for rows in before[:-1]]
    first = [i for i in range(len(part)) if i == 0 or part[i] != part[i - 1]]
    folder.mkdir()
    slices = [Slice(folder / f"{n}.events", grains[i] * GRAIN, before[i]) for n, i in enumerate(first)]
    _move(path, slices)
    return slices


def _sizes(path: Path) -> dict[int, int]:
    """Rows in each GRAIN of time."""
    sizes: dict[int, int] = {}
    for frame in spill.frames(path):
        for grain, rows in frame.group_by(pl.col("ts_ms") // GRAIN).len().iter_rows():
            sizes[grain] = sizes.get(grain, 0) + rows
    return sizes


def _move(path: Path, slices: Sequence[Slice]) -> None:
    starts = np.array([one.start for one in slices])
    for frame in spill.frames(path):
        place = pl.Series("slice", starts.searchsorted(frame["ts_ms"].to_numpy(), side="right") - 1)
        parts = frame.with_columns(place).partition_by("slice", as_dict=True, include_key=False)
        for (number,), rows in parts.items():
            spill.append(slices[number].path, rows)
    path.unlink()


def lookback(slices: Sequence[Slice], reach: int) -> list[int]:
    """For each slice the first one that its windows can read of; those before it have ended before."""
    ends = np.array([one.start for one in slices[1:]], dtype=np.int64)
    starts = np.array([one.start for one in slices], dtype=np.int64)
    return [int(first) for first in ends.searchsorted(starts - reach, side="right")]
