"""Counting the messages of topics while they arrive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bdp_assets.clients.kafka import stream_range, watermarks
from bdp_assets.settings import Settings


class TopicCounter:
    """Readable messages a topic since this object was made; by reading: offsets also number markers."""

    def __init__(self, settings: Settings, topics: Sequence[str]) -> None:
        self._settings = settings
        self._topics = topics
        self._ends = {partition: end for partition, (_, end) in watermarks(settings, topics).items()}
        self._counts = Counter(dict.fromkeys(topics, 0))

    def advance(self) -> Mapping[str, int]:
        """Read what has come since the last call. Raises KafkaUnavailable."""
        ends = {partition: end for partition, (_, end) in watermarks(self._settings, self._topics).items()}
        ranges = {partition: (self._ends[partition], end) for partition, end in ends.items()}
        for batch in stream_range(self._settings, ranges):
            self._counts.update(message.topic for message in batch)
        self._ends = ends
        return dict(self._counts)
