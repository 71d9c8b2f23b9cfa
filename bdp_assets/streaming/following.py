"""A worker follows its store from generation to generation.

A batch that was applied to one generation may be committed after another began to serve; and whoever gets the
partition next knows nothing of it. So before a worker applies the first batch of a partition to a generation,
it looks whether everything before that batch is there, and brings it in where not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from bdp_assets.clients.kafka import Message, OffsetsGone, ends, starts
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.features import positions
from bdp_assets.features.layout import Layout
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.positions import Kind

Follow = Callable[[str, Sequence[Message]], Mapping[int, int]]
"""Told the topic's id and the batch in hand, before it is applied. Returns `filled` by partition."""

_log = logging.getLogger(__name__)


def alone(_: str, __: Sequence[Message]) -> Mapping[int, int]:
    """For a store that nobody rebuilds."""
    return {}


class Following:
    """Of one worker: its partitions of one topic."""

    def __init__(self, store: OnlineStore, bring: Callable[[Layout], int]) -> None:
        """`bring`: what the topic's messages had applied elsewhere, into the generation."""
        self._store = store
        self._bring = bring
        self._generation: str | None = None
        self._reached: dict[int, int] = {}
        self._filled: Mapping[int, int] = {}

    def __call__(self, topic_id: str, messages: Sequence[Message]) -> Mapping[int, int]:
        """Raises StoreUnavailable, KafkaUnavailable, KafkaRefused."""
        layout, client = self._store.layout, self._store.client
        if layout.generation != self._generation:
            self._reached = {}
        first = {partition: offset for _, partition, offset in starts(messages)}
        if any(self._reached.get(partition) != offset for partition, offset in first.items()):
            reached = positions.read(client, layout, Kind.REACHED, topic_id)
            if any(reached.get(partition, -1) < offset for partition, offset in first.items()):
                self._catch_up(layout)
            self._filled = positions.read(client, layout, Kind.FILLED, topic_id)
            self._generation = layout.generation
        # Before the batch is applied: should that fail, it comes again, and nothing before it is missing.
        last = {partition: offset for _, partition, offset in ends(messages)}
        positions.write(client, layout, Kind.REACHED, topic_id, last)
        self._reached |= last
        return self._filled

    def _catch_up(self, layout: Layout) -> None:
        try:
            count = self._bring(layout)
        except OffsetsGone as error:
            raise StoreUnavailable(
                f"the online store lacks messages that are gone: `bdp features rebuild-online` ({error})"
            ) from error
        if count:
            _log.info("caught up", extra={"messages": count, "generation": layout.generation})
