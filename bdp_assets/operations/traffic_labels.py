"""Live labels: the victims of simulated fraud complain, and the complaints go to `fraud-labels-v1`."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable

from bdp_assets.clients.kafka import Publisher
from bdp_assets.contracts.codec import encode, schema_version_header
from bdp_assets.contracts.records import Label
from bdp_assets.contracts.rules import epoch_ms
from bdp_assets.contracts.topics import LABELS
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.simulator.drafts import GENUINE, KINDS

FRAUDS = frozenset(KINDS) - {KINDS[GENUINE]}
AFTER_S = 5.0
"""What takes days in history plays in seconds."""


class Complaints:
    """Labels of the frauds among the records that arrived, each `AFTER_S` seconds later.

    Nobody complains of what was never paid: a record that Kafka did not take, or the API not answer.
    """

    def __init__(self, publisher: Publisher, clock: Callable[[], float] = time.time) -> None:
        self._publisher = publisher
        self._clock = clock
        self._waiting: deque[tuple[float, Outgoing]] = deque()

    def arrived(self, record: Outgoing) -> None:
        """Note a record; from callbacks and their threads, too, so it publishes nothing."""
        if record.kind in FRAUDS:
            self._waiting.append((self._clock() + AFTER_S, record))

    def publish(self) -> None:
        """The complaints that are due."""
        now = self._clock()
        while self._waiting and self._waiting[0][0] <= now:
            label = label_of(self._waiting.popleft()[1], known_at_ms=int(now * 1000))
            self._publisher.send(
                LABELS.name,
                key=label.customer_id,
                value=encode(label),
                headers=[schema_version_header(LABELS)],
            )


def label_of(record: Outgoing, known_at_ms: int) -> Label:
    """That a record turned out to be fraud."""
    body = json.loads(record.value)
    return Label(
        transaction_id=record.transaction_id,
        customer_id=record.customer_id,
        is_fraud=True,
        known_at_ms=known_at_ms,
        merchant_id=body.get("merchant_id"),
        ts_ms=epoch_ms(body["timestamp"]),
    )
