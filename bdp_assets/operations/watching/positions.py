"""How far topics reach and consumer groups have come; what a group lags is counted as everywhere else."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bdp_assets.clients.kafka import watermarks
from bdp_assets.contracts.topics import TOPICS
from bdp_assets.operations.verify.lag import READERS, count, open_ranges
from bdp_assets.settings import Settings


@dataclass(frozen=True)
class Reader:
    """A consumer group. `done`: the sum of its offsets at `at_s`; `lag`: messages that it has not done."""

    group: str
    done: int
    lag: int
    at_s: float


@dataclass(frozen=True)
class Positions:
    """`ends`: topic -> the sum of its partitions' ends at `at_s`; a topic that is not there has none.

    `at_s`: on the clock that never jumps, each of its own question: a group may take seconds to answer.
    """

    ends: dict[str, int]
    at_s: float
    readers: dict[str, Reader]
    """By topic."""


def read(settings: Settings) -> Positions:
    """Raises KafkaUnavailable, KafkaRefused, OffsetsGone."""
    ends: dict[str, int] = {}
    for (name, _), (_, end) in watermarks(settings, list(TOPICS)).items():
        ends[name] = ends.get(name, 0) + end
    at_s = time.monotonic()
    readers = {}
    for group, topic in READERS.items():
        if topic.name in ends:
            ranges = open_ranges(settings, group, topic)
            done, done_s = sum(start for start, _ in ranges.values()), time.monotonic()
            readers[topic.name] = Reader(group, done, count(settings, ranges), done_s)
    return Positions(ends, at_s, readers)
