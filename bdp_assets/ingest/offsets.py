"""Which offset ranges are due to land: pure arithmetic on watermarks, and what the lake has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.landing import DESTINATIONS, TopicRange

MOST_OFFSETS = 50_000
"""Of one partition in one range: what a run reads fits in memory, however far behind it is."""

Watermarks = Mapping[tuple[str, int], tuple[int, int]]
Offsets = Mapping[str, int]
"""`topic:topic-id:partition` -> the offset that is due next."""


def landed_offsets(lake: Lake, watermarks: Watermarks, topic_ids: Mapping[str, str]) -> dict[str, int]:
    """What the lake has of each partition that exists now; left out is what it has nothing of."""
    found = {}
    for topic, partition in watermarks:
        application = f"{DESTINATIONS[topic].table}:{topic_ids[topic]}:{partition}"
        landed = lake.landed(DESTINATIONS[topic].table, application)
        if landed is not None:
            found[_name(topic, topic_ids[topic], partition)] = landed
    return found


def due_ranges(
    watermarks: Watermarks, topic_ids: Mapping[str, str], next_offsets: Offsets
) -> list[TopicRange]:
    """A range for each partition with something new; what nothing is known of starts at its beginning."""
    ranges = []
    for (topic, partition), (low, high) in sorted(watermarks.items()):
        start = next_offsets.get(_name(topic, topic_ids[topic], partition), low)
        if start < high:
            end = min(high, start + MOST_OFFSETS)
            ranges.append(TopicRange(topic, topic_ids[topic], partition, start, end, low, high))
    return ranges


def after(next_offsets: Offsets, ranges: Sequence[TopicRange]) -> dict[str, int]:
    """Offsets that are due once these ranges have landed."""
    return {**next_offsets, **{_name(cut.topic, cut.topic_id, cut.partition): cut.end for cut in ranges}}


def run_key(ranges: Sequence[TopicRange]) -> str:
    """`topic:partition:start-end` of each range: one landing run a set of ranges."""
    return " ".join(f"{cut.topic}:{cut.partition}:{cut.start}-{cut.end}" for cut in ranges)


def _name(topic: str, topic_id: str, partition: int) -> str:
    return f"{topic}:{topic_id}:{partition}"
