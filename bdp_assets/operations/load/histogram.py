"""Durations in buckets that grow by 1%: percentiles of any number of them in 15 kB, live and merged."""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

LOWEST_S, HIGHEST_S = 1e-5, 600.0
GROWTH = 1.01
_EDGES: list[float] = (
    LOWEST_S * GROWTH ** np.arange(1 + math.ceil(math.log(HIGHEST_S / LOWEST_S) / math.log(GROWTH)))
).tolist()
"""Upper edges: bucket i holds _EDGES[i - 1] < seconds <= _EDGES[i]; one more holds all above."""


class Histogram:
    """Of seconds. A percentile is at most 1% above the true one, never below; the maximum is exact."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_EDGES) + 1)
        self.count = 0
        self.highest_s = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(_EDGES, seconds)] += 1
        self.count += 1
        self.highest_s = max(self.highest_s, seconds)

    def merge(self, other: Histogram) -> None:
        """Have what the other has, too."""
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        self.highest_s = max(self.highest_s, other.highest_s)

    def percentile(self, percent: float) -> float:
        """Seconds that so many percent (above 0) do not exceed, by nearest rank; of none: nan."""
        if not self.count:
            return math.nan
        rank = max(
            1, math.ceil(round(percent * self.count / 100, 9))
        )  # 99.9% of 1,000 is 999, not 999.0000000001
        seen = 0
        for edge, count in zip(_EDGES, self._counts, strict=False):
            seen += count
            if seen >= rank:
                return min(edge, self.highest_s)
        return self.highest_s
