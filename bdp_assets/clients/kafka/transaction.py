"""Records and consumed offsets that commit together or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from bdp_assets.clients.kafka.connection import transactional_producer
from bdp_assets.clients.kafka.errors import KafkaUnavailable, ProducerFenced, TransactionAborted, translate
from bdp_assets.clients.kafka.group import Position, Receipt
from bdp_assets.clients.kafka.message import Header
from bdp_assets.clients.kafka.publisher import enqueue
from bdp_assets.clients.kafka.stuck import Stuck
from bdp_assets.settings import Settings

CALL_S = 5.0
GIVE_UP_S = 60.0


class TransactionalPublisher:
    """One transaction at a time: `begin`, `send`..., then `commit` or `abort`.

    Calls that may succeed later are repeated for a minute; one that never returns ends the process (see
    `stuck`). Raises TransactionAborted (call `abort`, redo),
    ProducerFenced (this object is dead), KafkaUnavailable (outcome unknown: make a new one with the same id,
    which settles it, and go on from the committed offsets), KafkaRefused.
    """

    def __init__(self, settings: Settings, transactional_id: str) -> None:
        self._bootstrap = settings.kafka
        self._stuck = Stuck()
        self._producer = transactional_producer(settings, transactional_id)
        # Fences a predecessor with this id and aborts what it left open, so that readers are not held up.
        self._repeat(self._producer.init_transactions, CALL_S)

    def begin(self) -> None:
        """Open a transaction."""
        self._repeat(self._producer.begin_transaction)

    def send(self, topic: str, *, key: str | bytes | None, value: bytes, headers: Sequence[Header]) -> None:
        """Queue a record into the open transaction."""
        self.send_all(topic, [(key, value)], headers=headers)

    def send_all(
        self,
        topic: str,
        records: Iterable[tuple[str | bytes | None, str | bytes]],
        *,
        headers: Sequence[Header],
    ) -> None:
        """Queue records (key, value) with the same headers into the open transaction."""
        same, produce = list(headers), self._producer.produce
        try:
            for key, value in records:
                try:
                    produce(topic, value, key, headers=same)
                except BufferError:  # There is no room now.
                    enqueue(self._producer, self._bootstrap, (topic, value, key), same)
        except KafkaException as exception:
            self._raise_final(exception)
            raise translate(self._bootstrap, exception.args[0]) from exception

    def commit(
        self,
        positions: Sequence[Position | Receipt],
        membership: Any,
        *,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """Flush, add the positions that the consumer has reached to the transaction, and commit it.

        `before` is called when all is in the transaction, and nothing committed.
        """
        offsets = [TopicPartition(*position) for position in positions]
        self._repeat(self._producer.send_offsets_to_transaction, offsets, membership, CALL_S)
        before()
        self._repeat(self._producer.commit_transaction, CALL_S)

    def abort(self) -> None:
        """Discard the open transaction."""
        self._repeat(self._producer.abort_transaction, CALL_S)

    def _repeat(self, call: Callable[..., Any], *arguments: object) -> None:
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                with self._stuck:
                    call(*arguments)
            except KafkaException as exception:
                self._raise_final(exception)
                if not exception.args[0].retriable():
                    raise translate(self._bootstrap, exception.args[0]) from exception
                if time.monotonic() > deadline:
                    raise KafkaUnavailable(self._bootstrap, exception.args[0].name()) from exception
                time.sleep(0.05)
            else:
                return

    def _raise_final(self, exception: KafkaException) -> None:
        """Raise if this transaction, or this producer, is lost."""
        error = exception.args[0]
        if error.fatal() or error.code() == KafkaError._FATAL:
            raise ProducerFenced(
                f"another process took this worker's slot, or it was stopped for too long ({error.name()}). "
                "Start it again; give each worker its own --slot."
            ) from exception
        # `produce` says _STATE once something produced before has failed the transaction.
        if error.txn_requires_abort() or error.code() == KafkaError._STATE:
            raise TransactionAborted(error.name()) from exception
