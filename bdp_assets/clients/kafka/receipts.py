"""A note that a transaction leaves behind if, and only if, it commits.

Kafka keeps a text with each committed offset of a consumer group. A group that nobody reads with holds one
such text: the name of the last transaction that became readable.
"""

from __future__ import annotations

from confluent_kafka import TopicPartition

from bdp_assets.clients.kafka.connection import consumer
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.clients.kafka.topics import settled_offsets
from bdp_assets.clients.kafka.transaction import TransactionalPublisher
from bdp_assets.settings import Settings


class Receipts:
    """The last receipt of a group, kept with partition 0 of a topic. `close` it."""

    def __init__(self, settings: Settings, group: str, topic: str) -> None:
        self._bootstrap = settings.kafka
        self._topic = topic
        self._reader = consumer(settings, group)

    def last(self) -> str | None:
        """The receipt of the last transaction that committed; brokers forget it after a week by default.

        Waits for a transaction whose outcome is on its way. Raises KafkaUnavailable, KafkaRefused.
        """
        with translated(self._bootstrap):
            (found,) = settled_offsets(self._reader, [TopicPartition(self._topic, 0)])
        return found.metadata or None

    def commit(self, publisher: TransactionalPublisher, receipt: str) -> None:
        """Commit the publisher's open transaction with this receipt; raises as its `commit` does."""
        # Offset 0: nobody reads on from here.
        publisher.commit([(self._topic, 0, 0, receipt)], self._reader.consumer_group_metadata())

    def close(self) -> None:
        self._reader.close()
