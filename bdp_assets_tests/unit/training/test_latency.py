"""The ratio by a clock of the test's own."""

from __future__ import annotations

import numpy as np

from bdp_assets.training.latency import Latency, single_row

MATRIX = np.zeros((5, 3))


class Clock:
    """Goes on by a microsecond whenever it is asked, and by what a scorer takes."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 1_000
        return self.now_ns


class Slow:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.shapes: set[tuple[int, ...]] = set()

    def score(self, matrix: np.ndarray) -> np.ndarray:
        self.clock.now_ns += 9_000
        self.shapes.add(matrix.shape)
        return np.zeros(len(matrix))


def test_single_rows_are_scored_and_compared_with_an_empty_graph() -> None:
    clock = Clock()
    slow = Slow(clock)
    taken = single_row(slow, MATRIX, rounds=9, clock_ns=clock)
    assert taken == Latency(score_us=10.0, floor_us=1.0)
    assert taken.ratio == 10.0
    assert slow.shapes == {(1, 3)}
