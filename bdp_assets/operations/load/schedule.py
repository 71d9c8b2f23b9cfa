"""When each call is due: fixed before the first one is sent, whatever the target then does."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from bdp_assets.operations.load.choices import Profile

_SHAPES: dict[Profile, Sequence[tuple[str, float, float]]] = {
    Profile.STEADY: [("steady", 1, 1)],
    Profile.SPIKE: [("before", 0.4, 1), ("spike", 0.2, 3), ("after", 0.4, 1)],
    # The same all along, judged by quarters: what leaks or fills up shows in the last one.
    Profile.SOAK: [(f"quarter {number}", 0.25, 1) for number in range(1, 5)],
}
"""Phases of each: name, share of the time, factor of the rate."""


@dataclass(frozen=True)
class Phase:
    """Calls at an even pace: number n (from 0) is due at start_s + n / rate; at least one."""

    name: str
    start_s: float
    seconds: float
    rate: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.seconds

    @property
    def calls(self) -> int:
        return max(1, round(self.rate * self.seconds))

    def times(self) -> NDArray[np.float64]:
        """Seconds since the start of the run, [calls]."""
        return self.start_s + np.arange(self.calls) / self.rate


@dataclass(frozen=True)
class Schedule:
    """Phases one after the other; calls are numbered from 0 on through all of them."""

    phases: tuple[Phase, ...]

    @classmethod
    def of(cls, profile: Profile, rate: float, seconds: float) -> Schedule:
        """`rate`: calls a second, outside a spike; both above 0."""
        phases, start = [], 0.0
        for name, share, factor in _SHAPES[profile]:
            phases.append(Phase(name, start, share * seconds, factor * rate))
            start = phases[-1].end_s
        return cls(tuple(phases))

    @property
    def seconds(self) -> float:
        return self.phases[-1].end_s

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """When each call is due, seconds since the start: ascending."""
        return np.concatenate([phase.times() for phase in self.phases])

    @cached_property
    def _ends(self) -> list[int]:
        return [*accumulate(phase.calls for phase in self.phases)]

    def phase_of(self, number: int) -> int:
        """Index of the phase that a call belongs to."""
        return bisect_right(self._ends, number)

    def due(self, at_s: float) -> int:
        """Calls that are due at or before a moment."""
        return int(np.searchsorted(self.times, at_s, side="right"))

    @property
    def mean_rate(self) -> float:
        return len(self.times) / self.seconds

    @property
    def most_ahead_s(self) -> float:
        """How far a clock that ticks once a call, at the mean rate, is ever ahead of the schedule."""
        return float((np.arange(len(self.times)) / self.mean_rate - self.times).max())
