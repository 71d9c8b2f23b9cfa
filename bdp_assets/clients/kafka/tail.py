"""Reading a topic from now on, outside any consumer group."""

from __future__ import annotations

from confluent_kafka import TopicPartition

from bdp_assets.clients.kafka.connection import consumer
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.clients.kafka.message import Message, from_driver
from bdp_assets.clients.kafka.topics import watermarks
from bdp_assets.settings import Settings


class TailReader:
    """Committed records that were written since it was made; `close` it.

    Raises KafkaUnavailable, KafkaRefused.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        ends = {place: end for place, (_, end) in watermarks(settings, [topic]).items()}
        self._bootstrap = settings.kafka
        self._consumer = consumer(settings, "bdp-tail-reader")
        with translated(self._bootstrap):
            self._consumer.assign([TopicPartition(*place, end) for place, end in ends.items()])

    def read(self, most: int, wait_s: float) -> list[Message]:
        """What is there, at the latest after so many seconds.

        While a broker is away there is nothing, and the driver goes on by itself when it is back: whoever
        waits for a record has a time-out of their own.
        """
        with translated(self._bootstrap):
            events = self._consumer.consume(most, wait_s)
        return [from_driver(event) for event in events if event.error() is None]

    def close(self) -> None:
        self._consumer.close()
