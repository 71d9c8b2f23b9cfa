"""A member of a consumer group that hands out micro-batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from bdp_assets.clients.kafka.connection import consumer
from bdp_assets.clients.kafka.errors import translate, translated
from bdp_assets.clients.kafka.message import Message, from_driver
from bdp_assets.settings import Settings

SESSION_TIMEOUT_MS = 6_000
"""A dead member's partitions move after this long: the shortest that brokers allow by default."""

HEARTBEAT_MS = 500
"""How soon a member hears of a rebalance; partitions change hands in two of them."""

Position = tuple[str, int, int]
"""(topic, partition, offset)"""

Receipt = tuple[str, int, int, str]
"""A position with the text that the broker keeps beside it."""

_PASSING = frozenset({KafkaError._MAX_POLL_EXCEEDED, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})

_log = logging.getLogger(__name__)


class GroupReader:
    """Reads topics as one member of a group. A batch never spans a rebalance."""

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Sequence[str],
        *,
        slot: int,
        on_rebalance: Callable[[str, int], None] = lambda event, partitions: None,
    ) -> None:
        """`on_rebalance(event, partitions)`: so many partitions were "assigned", "revoked" or "lost".

        `slot` makes the membership static: whoever starts in the slot again, also after kill -9, has its
        partitions at once. The price: those of one who leaves for good wait for the session time-out.
        """
        self._bootstrap = settings.kafka
        self._on_rebalance = on_rebalance
        self._moved = False
        self._membership: Any = None
        self._polled_at = time.monotonic()
        self._consumer = consumer(
            settings,
            group,
            **{
                "group.instance.id": f"{group}-{slot}",
                "session.timeout.ms": SESSION_TIMEOUT_MS,
                "heartbeat.interval.ms": HEARTBEAT_MS,
            },
        )
        self._consumer.subscribe(
            list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def poll(self, most: int, fill_s: float, idle_s: float) -> list[Message]:
        """Wait up to `idle_s` seconds for a first message, then for the batch to reach `most`, until `fill_s`
        after the last poll.

        With a backlog the batch is full at once; without one its age is bounded, and what came while the last
        batch was in hand does not wait once more. May be empty.
        Raises KafkaRefused if a topic is missing or the group refuses us.
        """
        self._moved = False
        with translated(self._bootstrap):
            events = self._consumer.consume(1, idle_s)
            if events and most > 1:
                collected_s = time.monotonic() - self._polled_at
                events += self._consumer.consume(most - 1, max(0.0, fill_s - collected_s))
            self._polled_at = time.monotonic()
        batch = [from_driver(event) for event in events if not self._failed(event)]
        if self._moved:
            # Part of the batch may belong to somebody else by now, who reads it from the committed offset.
            self.rewind(starts(batch))
            return []
        return batch

    def rewind(self, positions: Iterable[Position]) -> None:
        """Read again from each position whose partition is still ours."""
        with translated(self._bootstrap):
            ours = {(p.topic, p.partition) for p in self._consumer.assignment()}
            for topic, partition, offset in positions:
                if (topic, partition) in ours:
                    self._consumer.seek(TopicPartition(topic, partition, offset))

    def membership(self) -> Any:
        """Proof of membership for the transaction: a member that was thrown out cannot commit with it.

        It is the one of the last assignment that we were told of. Asking the driver at the moment of commit
        would not do: a worker that was stopped, and has lost its partitions unheard, would get an anonymous
        one, which brokers accept.
        """
        return self._membership

    def lag(self) -> int:
        """Offsets (with transaction markers) between us and the ends, as of the last fetch; no round trip."""
        with translated(self._bootstrap):
            positions = self._consumer.position(self._consumer.assignment())
            ends = [self._consumer.get_watermark_offsets(p, cached=True) for p in positions]
        return sum(
            max(0, high - p.offset) for p, (_, high) in zip(positions, ends, strict=True) if p.offset >= 0
        )

    def close(self) -> None:
        """Stop reading; the successor in the slot goes on."""
        self._consumer.close()

    def _failed(self, event: Any) -> bool:
        error = event.error()
        if error is None:
            return False
        if error.code() not in _PASSING:
            raise translate(self._bootstrap, error)
        _log.warning("Kafka consumer goes on after %s", error.name())
        return True

    def _assigned(self, consumer: Any, partitions: Sequence[Any]) -> None:
        self._membership = consumer.consumer_group_metadata()
        self._rebalanced("assigned", partitions)

    def _revoked(self, _: Any, partitions: Sequence[Any]) -> None:
        self._rebalanced("revoked", partitions)

    def _lost(self, _: Any, partitions: Sequence[Any]) -> None:
        self._rebalanced("lost", partitions)

    def _rebalanced(self, event: str, partitions: Sequence[Any]) -> None:
        self._moved = True
        self._on_rebalance(event, len(partitions))


def starts(batch: Sequence[Message]) -> list[Position]:
    """Position of each partition's first message."""
    first = {(m.topic, m.partition): m.offset for m in reversed(batch)}
    return [(*partition, offset) for partition, offset in first.items()]


def ends(batch: Sequence[Message]) -> list[Position]:
    """Position after each partition's last message."""
    last = {(m.topic, m.partition): m.offset for m in batch}
    return [(*partition, offset + 1) for partition, offset in last.items()]
