"""The way of an answered transaction to `transactions-raw-v1`: sent in the background, bounded, counted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from bdp_assets.clients.kafka import Header, KafkaRefused, KafkaUnavailable, producer
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.contracts.topics import RAW
from bdp_assets.observability.metrics import API_UNDELIVERED
from bdp_assets.settings import Settings

QUEUE_MESSAGES = 100_000
RESERVE = 10_000
PROBE_S = 1.0
FLUSH_S = 10.0

_log = logging.getLogger("bdp.api.raw_topic")


class RawTopic:
    """Holds messages in memory while Kafka is away: without end in time, with an end in number.

    What is still queued when the process is killed is lost to the stream (the decision stays with its claim).
    """

    def __init__(self, settings: Settings) -> None:
        self._bootstrap = settings.kafka
        self._broken = False
        self._producer: Any = producer(
            settings, **{"queue.buffering.max.messages": QUEUE_MESSAGES, "delivery.timeout.ms": 0}
        )

    def has_room(self, messages: int) -> bool:
        """Whether so many can be queued; the reserve covers requests that asked at the same time."""
        return not self._broken and len(self._producer) + messages <= QUEUE_MESSAGES - RESERVE

    def send(
        self,
        transaction: ValidatedTransaction,
        value: bytes,
        received_ms: int,
        headers: Sequence[Header] = (),
    ) -> None:
        """Queue the body as it came, timed when it was received: the stream judges its timestamp so.

        One that can not be queued is counted and logged, and its answer stands.
        """
        try:
            with translated(self._bootstrap):
                self._producer.produce(
                    RAW.name,
                    value,
                    transaction.customer_id,
                    headers=[schema_version_header(RAW), *headers],
                    timestamp=received_ms,
                    on_delivery=_count_failure,
                )
        except BufferError:  # messages of unusual size: the queue is bounded in bytes too
            _undelivered("the queue is full")
        except (KafkaUnavailable, KafkaRefused) as error:  # the driver gave up on this broker
            self._broken = True
            _undelivered(f"{error} Then restart the API.")

    def is_up(self) -> bool:
        """Ask the broker for the topic (at most a second), and serve the delivery callbacks that wait."""
        self._producer.poll(0)
        if self._broken:
            return False
        try:
            with translated(self._bootstrap):
                self._producer.list_topics(RAW.name, timeout=PROBE_S)
        except (KafkaUnavailable, KafkaRefused):
            return False
        return True

    def close(self) -> None:
        """Wait a while for what is queued; say how many messages are left behind."""
        left = self._producer.flush(FLUSH_S)
        if left:
            _log.error("stopped before Kafka took all messages", extra={"messages": left})


def _count_failure(error: Any, _: object) -> None:
    if error is not None:
        _undelivered(error.name())


def _undelivered(reason: str) -> None:
    API_UNDELIVERED.inc()
    _log.error("an answered transaction does not reach the stream", extra={"reason": reason})
