"""Sides that take turns, so that a busy moment of the machine is nobody's advantage."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Say = Callable[[str], None]


@dataclass(frozen=True)
class Times:
    """Seconds of one side, a round each."""

    seconds: list[float]

    @property
    def median(self) -> float:
        return median(self.seconds)

    def figures(self) -> dict[str, Any]:
        return {
            "seconds_s": round(self.median, 4),
            "fastest_s": round(min(self.seconds), 4),
            "slowest_s": round(max(self.seconds), 4),
        }


def alternated(sides: Mapping[str, Callable[[], object]], repeats: int, say: Say) -> dict[str, Times]:
    """Run each side once to warm it up, then A B A B ... for `repeats` rounds; their answers are dropped."""
    for name, side in sides.items():
        say(f"warm-up: {name}")
        side()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats):
        say(f"round {turn + 1} of {repeats}")
        for name, side in sides.items():
            seconds[name].append(_timed(side))
    return {name: Times(found) for name, found in seconds.items()}


def _timed(side: Callable[[], object]) -> float:
    gc.collect()  # The last side's garbage is not this one's work.
    began = time.perf_counter()
    side()
    return time.perf_counter() - began
