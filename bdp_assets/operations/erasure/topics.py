"""The topics' part: nothing is taken out of them, retention does that; and by when it will have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bdp_assets.clients.kafka import newest_times
from bdp_assets.contracts.topics import ANALYTICS, TOPICS
from bdp_assets.settings import Settings

SEGMENT = timedelta(days=7)
"""Kafka removes whole segments, and begins a new one after so long (its default, which no topic changes)."""


@dataclass(frozen=True)
class Expiry:
    """By `ends`, all is gone from the topic that it holds now; None where it holds nothing."""

    topic: str
    retention_days: int
    ends: datetime | None


def expiries(settings: Settings) -> Sequence[Expiry]:
    """Of each topic that has customers in it, as declared. Raises KafkaUnavailable, KafkaRefused."""
    newest = newest_times(settings, list(TOPICS))
    return [
        Expiry(topic.name, topic.retention_days, _ends(newest.get(topic.name), topic.retention_days))
        for topic in TOPICS.values()
        if topic is not ANALYTICS
    ]


def _ends(newest_ms: int | None, retention_days: int) -> datetime | None:
    """A segment lives until its newest message is too old, and that may come a segment's time after ours."""
    if newest_ms is None:
        return None
    return datetime.fromtimestamp(newest_ms / 1000, UTC) + SEGMENT + timedelta(days=retention_days)
