"""How far the lake is behind the topics."""

from __future__ import annotations

import time

from bdp_assets.clients.kafka import stream_range, topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.landing import DESTINATIONS, TopicRange
from bdp_assets.ingest.offsets import due_ranges, landed_offsets
from bdp_assets.settings import Settings

FEW = 10
"""Offsets after the landed ones, of which one is a message: the others may be markers of transactions."""


def not_landed(settings: Settings) -> int:
    """Offsets (messages and markers of transactions) that the lake has not got yet.

    Raises KafkaUnavailable, KafkaRefused.
    """
    return sum(due.end - due.start for due in waiting(settings))


def oldest_waiting_s(settings: Settings) -> float:
    """Seconds since Kafka took the oldest message that the lake has not got; 0 where it has all.

    Raises KafkaUnavailable, KafkaRefused, OffsetsGone.
    """
    ranges = {
        (due.topic, due.partition): (start, min(due.end, start + FEW))
        for due in waiting(settings)
        for start in [max(due.start, due.earliest)]
    }
    times = [message.timestamp_ms for batch in stream_range(settings, ranges) for message in batch]
    return max(0.0, time.time() - min(times) / 1000) if times else 0.0


def waiting(settings: Settings) -> list[TopicRange]:
    """What has to land next of each partition. Raises KafkaUnavailable, KafkaRefused."""
    ends = watermarks(settings, list(DESTINATIONS))
    ids = topic_ids(settings, sorted({topic for topic, _ in ends}))
    landed = landed_offsets(Lake.of(settings), ends, ids)
    return due_ranges(ends, ids, landed)
