"""Figures of scored rows of which each counts several times or not at all, as a bootstrap draws them.

What does not depend on the draw (order, ties, bins, costs) is worked out once. `times` is float64 [n].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bdp_assets.training.evaluate import CALIBRATION_EDGES

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Ranking:
    """Average precision and AUC; 0 for a draw in which nothing can be ranked."""

    def __init__(self, probability: Doubles, fraud: Bools) -> None:
        self._order = np.argsort(-probability, kind="stable")
        self._fraud = fraud[self._order].astype(np.float64)
        # Rows of one probability are above a threshold together: only the last of them counts.
        self._last = np.flatnonzero(np.diff(probability[self._order], append=-1.0))

    def average_precision(self, times: Doubles) -> float:
        frauds, rows = self._above(times)
        if frauds[-1] == 0:
            return 0.0
        return float(np.diff(frauds, prepend=0.0) @ (frauds / np.maximum(rows, 1.0)) / frauds[-1])

    def auc(self, times: Doubles) -> float:
        frauds, rows = self._above(times)
        good = rows - frauds
        if frauds[-1] * good[-1] == 0:
            return 0.0
        mean = (frauds + np.concatenate(([0.0], frauds[:-1]))) / 2
        return float(np.diff(good, prepend=0.0) @ mean / (frauds[-1] * good[-1]))

    def _above(self, times: Doubles) -> tuple[Doubles, Doubles]:
        """Frauds and rows at or above each threshold."""
        counted = times[self._order]
        return np.cumsum(counted * self._fraud)[self._last], np.cumsum(counted)[self._last]


class Calibration:
    """`evaluate.calibration_error`."""

    def __init__(self, probability: Doubles, fraud: Bools) -> None:
        self._bin = np.searchsorted(CALIBRATION_EDGES, probability, side="right")
        self._gap = probability - fraud
        self._chance = probability * (1.0 - probability)

    def error(self, times: Doubles) -> float:
        return float(np.abs(np.bincount(self._bin, times * self._gap)).sum() / times.sum())

    def by_chance(self) -> float:
        """The error to expect on these rows of one whose probabilities are all true."""
        deviation = np.sqrt(np.bincount(self._bin, self._chance))
        return float(np.sqrt(2 / np.pi) * deviation.sum() / len(self._bin))


class DailyCost:
    """Mean cost a day; `cost` is what each row's decision did cost."""

    def __init__(self, cost: Doubles, days: int) -> None:
        self._cost_a_day = cost / days

    def __call__(self, times: Doubles) -> float:
        return float(times @ self._cost_a_day)
