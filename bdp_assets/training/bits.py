"""Whether a row's score depends on the rows beside it: scored alone and in batches, compared bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
BATCHES: Mapping[int, int] = MappingProxyType({1: 500, 7: 70_000, 2_000: 200_000, 100_000: 100_000})
"""Rows of a batch -> most rows that are scored in such batches."""


class Scorer(Protocol):
    """`scoring.ensemble.Ensemble`, or whatever takes its place."""

    def score(self, matrix: Doubles) -> Doubles: ...


def differing(scorer: Scorer, matrix: Doubles, batches: Mapping[int, int] = BATCHES) -> dict[int, int]:
    """How many rows have other bits in batches of each size than in one of all rows."""
    whole = scorer.score(matrix)
    return {size: _differing(scorer, matrix, whole, size, most) for size, most in batches.items()}


def _differing(scorer: Scorer, matrix: Doubles, whole: Doubles, size: int, most: int) -> int:
    chosen = _rows(len(matrix), size, most)
    starts = range(0, len(chosen), size)
    scores = np.concatenate([scorer.score(matrix[chosen[start : start + size]]) for start in starts])
    return int((scores.view(np.int64) != whole[chosen].view(np.int64)).sum())


def _rows(there: int, size: int, most: int) -> NDArray[np.intp]:
    """Positions of rows: all, again from the first where they do not fill a batch, or some far and wide."""
    wanted = min(max(there, size), most)
    if there <= wanted:
        return np.resize(np.arange(there), wanted)
    return np.linspace(0, there - 1, wanted).astype(np.intp)
