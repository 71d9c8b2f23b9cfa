"""One loop: poll a micro-batch, process it, publish the results and the offsets in one Kafka transaction.

Why nothing is lost or doubled, whatever dies at whatever point: outputs and offsets commit together or not at
all, and what the process does to the online store, or to the warehouse, before that is idempotent by source
coordinates.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from bdp_assets.clients.kafka import (
    GroupReader,
    Message,
    TransactionAborted,
    TransactionalPublisher,
    ends,
    starts,
)
from bdp_assets.clients.outage import Outage
from bdp_assets.observability import stream_metrics as metrics
from bdp_assets.observability import tracing
from bdp_assets.observability.traced_batch import step
from bdp_assets.streaming.items import Output
from bdp_assets.streaming.kill_points import Point, Reached, nowhere
from bdp_assets.streaming.traced import sampled

IDLE_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0

Process = Callable[[Sequence[Message]], list[Output]]

_log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """A micro-batch closes at so many messages, or so many seconds after its first."""

    messages: int
    fill_s: float


class Runner:
    """Runs `process` on the reader's messages until `stop` is set; then finishes the batch in hand."""

    def __init__(  # noqa: PLR0913 - its two ends, its work, and when to stop
        self,
        reader: GroupReader,
        publisher: TransactionalPublisher,
        process: Process,
        *,
        limits: Limits,
        stop: threading.Event,
        reached: Reached = nowhere,
    ) -> None:
        """`reached` is told of every write boundary of a batch, see `kill_points`."""
        self._reader = reader
        self._publisher = publisher
        self._process = process
        self._limits = limits
        self._stop = stop
        self._reached = reached
        self._pause_s = FIRST_PAUSE_S

    def run(self) -> None:
        """Raises ProducerFenced, KafkaUnavailable, KafkaRefused: leave, a new worker goes on from there."""
        while not self._stop.is_set():
            # 1. Poll. Rebalances happen in here and nowhere else: no batch is in hand while partitions move.
            batch = self._reader.poll(self._limits.messages, self._limits.fill_s, IDLE_S)
            metrics.LAG.set(self._reader.lag())
            if batch:
                self._settle(batch)

    def _settle(self, batch: Sequence[Message]) -> None:
        """Commit the batch, or go back to where it began, so that the next poll brings it again."""
        try:
            with tracing.batch(partial(sampled, batch)):
                self._commit(batch)
        except Outage as error:
            self._retry(batch, error.reason, str(error))
        except TransactionAborted as error:
            # 6. Abort before reading again: what was produced must never become readable.
            self._publisher.abort()
            self._retry(batch, "transaction_aborted", str(error))
        else:
            self._pause_s = FIRST_PAUSE_S
            _observe(batch)

    def _commit(self, batch: Sequence[Message]) -> None:
        # 2. Process: decode, store effects, decide. Before the transaction opens: a slow store would hold up
        #    readers behind it, and these effects need no transaction, they are idempotent.
        self._reached(Point.BEFORE_STATE)
        outputs = self._process(batch)
        self._reached(Point.AFTER_STATE)
        with step("publish"), metrics.STEP_DURATION.labels("commit").time():
            self._publish(batch, outputs)
        self._reached(Point.AFTER_COMMIT)

    def _publish(self, batch: Sequence[Message], outputs: Sequence[Output]) -> None:
        # 3. Produce everything into one transaction.
        self._publisher.begin()
        self._reached(Point.BEFORE_PRODUCE)
        for topic, key, value, headers in outputs:
            self._publisher.send(topic, key=key, value=value, headers=headers)
        self._reached(Point.AFTER_PRODUCE)
        # 4. Add the offsets, with our membership: a worker that the group has thrown out cannot commit.
        # 5. Commit: the only moment at which anything becomes visible.
        self._publisher.commit(
            ends(batch), self._reader.membership(), before=partial(self._reached, Point.BEFORE_COMMIT)
        )

    def _retry(self, batch: Sequence[Message], reason: str, detail: str) -> None:
        """Rewind and pause. The next poll keeps us in the group however long the trouble lasts."""
        metrics.RETRIES.labels(reason).inc()
        _log.warning(
            "batch will be redone: %s",
            detail,
            extra={"reason": reason, "messages": len(batch), "pause_s": self._pause_s},
        )
        self._reader.rewind(starts(batch))
        self._stop.wait(self._pause_s)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


def _observe(batch: Sequence[Message]) -> None:
    metrics.MESSAGES.inc(len(batch))
    metrics.BATCH_SIZE.observe(len(batch))
    metrics.observe_freshness("output", batch)
