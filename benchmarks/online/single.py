"""One transaction at a time: how long its caller waits."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from benchmarks.alternation import Say
from benchmarks.bench import Figures
from benchmarks.online.effort import Effort


@dataclass
class Latencies:
    """Milliseconds of one side's calls, a list for each round."""

    rounds: list[list[float]] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The median of what the rounds say."""
        return median(float(np.percentile(calls, share)) for calls in self.rounds)

    def figures(self) -> Figures:
        return {
            "p50_ms": round(self.percentile(50), 4),
            "p99_ms": round(self.percentile(99), 4),
            "per_s": round(1_000 / median(float(np.mean(calls)) for calls in self.rounds)),
        }


def latencies(
    ours: Iterator[Callable[[], object]],
    floor: Callable[[], object],
    effort: Effort,
    say: Say,
) -> tuple[Latencies, Latencies]:
    """Ours and the floor's in turn, call by call; `ours` gives a new one each time."""
    say(f"one by one: warm-up, {effort.warm_up} calls of each side")
    for _ in range(effort.warm_up):
        next(ours)()
        floor()
    gc.collect()
    gc.freeze()  # As the API does after its warm-up.
    mine, theirs = Latencies(), Latencies()
    for turn in range(effort.repeats):
        say(f"one by one: round {turn + 1} of {effort.repeats}, {effort.calls} calls of each side")
        pairs = [(_timed(next(ours)), _timed(floor)) for _ in range(effort.calls)]
        mine.rounds.append([pair[0] for pair in pairs])
        theirs.rounds.append([pair[1] for pair in pairs])
    return mine, theirs


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1e6
