"""Producing outside transactions: idempotent, back-pressured, and no failure goes unnoticed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bdp_assets.clients.kafka.connection import producer
from bdp_assets.clients.kafka.errors import DeliveryFailed, KafkaUnavailable, translated
from bdp_assets.clients.kafka.message import Header
from bdp_assets.settings import Settings

QUEUE_WAIT_S = 30.0
NOW = 0
"""The driver's word for "when it is produced"."""


class Publisher:
    """Sends in the background; `flush` waits, and raises if anything failed since the last flush."""

    def __init__(self, settings: Settings, **overrides: object) -> None:
        self._bootstrap = settings.kafka
        self._producer = producer(settings, **overrides)
        self._failures: list[str] = []

    def send(  # noqa: PLR0913 - a record has so many parts
        self,
        topic: str,
        *,
        key: str | bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        timestamp_ms: int = NOW,
        on_delivery: Callable[[bool], None] | None = None,
    ) -> None:
        """Queue one message; when the queue is full, wait for room.

        `timestamp_ms`: UTC epoch milliseconds. `on_delivery(written)` is called from a later call.
        Raises KafkaUnavailable if there is no room for 30 s, KafkaRefused (for example: larger than 8 MiB).
        """

        def delivered(error: Any, _: Any) -> None:
            if error is not None:
                self._failures.append(error.name())
            if on_delivery is not None:
                on_delivery(error is None)

        with translated(self._bootstrap):
            more = {"timestamp": timestamp_ms, "on_delivery": delivered}
            enqueue(self._producer, self._bootstrap, (topic, value, key), list(headers), more)
        self._producer.poll(0)

    def poll(self, wait_s: float = 0.0) -> None:
        """Serve delivery callbacks."""
        self._producer.poll(wait_s)

    def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until everything is written. Raises KafkaUnavailable at the time-out, DeliveryFailed."""
        waiting = self._producer.flush(timeout_s)
        failures, self._failures = self._failures, []
        if failures:
            names = ", ".join(sorted(set(failures)))
            raise DeliveryFailed(f"{len(failures)} messages were not written to Kafka ({names})")
        if waiting:
            raise KafkaUnavailable(self._bootstrap, f"{waiting} messages still wait after {timeout_s:g} s")


def enqueue(
    producer: Any,
    bootstrap: str,
    record: tuple[str, str | bytes | None, str | bytes | None],
    headers: list[Header],
    more: Mapping[str, object] = {},
) -> None:
    """`producer.produce` of a record (topic, value, key) that waits where it raises BufferError: queue full,
    polling empties it.

    Raises KafkaUnavailable if there is no room for 30 s, and the driver's KafkaException.
    """
    deadline: float | None = None
    while True:
        try:
            producer.produce(*record, headers=headers, **more)
        except BufferError:
            deadline = deadline or time.monotonic() + QUEUE_WAIT_S
            if time.monotonic() > deadline:
                raise KafkaUnavailable(
                    bootstrap, f"no room in the send queue for {QUEUE_WAIT_S:g} s"
                ) from None
            producer.poll(0.05)
        else:
            return
