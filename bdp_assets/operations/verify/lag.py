"""How far each part of the platform is behind: what is on its way is neither lost nor proved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bdp_assets.clients.kafka import committed_offsets, stream_range, watermarks
from bdp_assets.contracts.topics import LABELS, RAW, VALIDATED, Topic
from bdp_assets.operations.landing_lag import not_landed
from bdp_assets.settings import Settings
from bdp_assets.streaming import groups

READERS = {groups.SCORING: RAW, groups.LABELS: LABELS, groups.ANALYTICS: VALIDATED}
"""Consumer group -> the topic that it reads; a new kind of worker is one more entry."""
FEW = 1_000
LOOK_EVERY_S = 0.5

Lag = dict[str, int]
"""Part -> messages (for the lake: offsets) that it has not done."""
LAKE = "lake"


def read_lag(settings: Settings) -> Lag:
    """Every consumer group, and the lake. Raises KafkaUnavailable, KafkaRefused."""
    behind = {group: waiting(settings, group, topic) for group, topic in READERS.items()}
    return {**behind, LAKE: not_landed(settings)}


def waiting(settings: Settings, group: str, topic: Topic) -> int:
    """Messages after the group's committed offsets; of many the number of offsets, which is near enough."""
    return count(settings, open_ranges(settings, group, topic))


def open_ranges(settings: Settings, group: str, topic: Topic) -> dict[tuple[str, int], tuple[int, int]]:
    """(topic, partition) -> where the group goes on, and the end. Raises KafkaUnavailable, KafkaRefused."""
    done = committed_offsets(settings, group, [topic.name])
    return {
        partition: (done.get(partition, low), end)
        for partition, (low, end) in watermarks(settings, [topic.name]).items()
    }


def count(settings: Settings, ranges: Mapping[tuple[str, int], tuple[int, int]]) -> int:
    """Messages in ranges of offsets; of many the number of offsets. Raises KafkaUnavailable, OffsetsGone."""
    offsets = sum(max(0, end - start) for start, end in ranges.values())
    # Offsets also number the markers of transactions, which nobody ever consumes.
    return sum(map(len, stream_range(settings, ranges))) if 0 < offsets <= FEW else offsets


def await_drained(
    settings: Settings, wait_s: float, progress: Callable[[Lag], None] = lambda lag: None
) -> Lag:
    """What is still behind when nothing is, or after `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    while True:
        lag = read_lag(settings)
        progress(lag)
        if not any(lag.values()) or time.monotonic() >= deadline:
            return lag
        time.sleep(LOOK_EVERY_S)
