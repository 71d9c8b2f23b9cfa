"""Sends letters again exactly once, though PostgreSQL and Kafka know nothing of each other's transactions.

Whoever replays has the lock of its name in PostgreSQL and the only producer of its name in Kafka: a
predecessor that still lives can commit nothing any more. For each portion:

1. Plan: the letters and the replay's id, committed in PostgreSQL.
2. Send: the messages, and the id as receipt, in one Kafka transaction.
3. Settle: when the plan was sent, committed in PostgreSQL.

If it dies in between, there is a plan that nobody settled. The next one reads the last receipt: it names the
plan, then everything was sent; or it does not, then nothing was, and the plan goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bdp_assets.clients.kafka import (
    Header,
    ProducerFenced,
    Receipts,
    TransactionAborted,
    TransactionalPublisher,
)
from bdp_assets.clients.postgres import Connection, lock
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.headers import REPLAY_OF, TRACEPARENT
from bdp_assets.contracts.topics import DLQ, TOPICS
from bdp_assets.operations.dead_letters.judging import Ready
from bdp_assets.settings import Settings

NAME = "bdp-dlq-replay"
"""Of the lock, the producer and the group that holds the receipt."""

_PLAN = (
    "INSERT INTO warehouse.dead_letter_replays "
    "(dlq_topic_id, dlq_partition, dlq_offset, replay_id, fixed, planned_at) "
    "VALUES (%s, %s, %s, %s, %s, now())"
)
_SENT = "UPDATE warehouse.dead_letter_replays SET sent_at = now() WHERE replay_id = %s AND sent_at IS NULL"
_NOT_SENT = "DELETE FROM warehouse.dead_letter_replays WHERE sent_at IS NULL"


class ReplayFailed(Exception):  # noqa: N818 - reads as what it is
    """Somebody else replays, or Kafka gave the transaction up. The next replay finds out what was sent."""


class Sender:
    """The only one that replays; see `sender`."""

    def __init__(
        self, connection: Connection, publisher: TransactionalPublisher, receipts: Receipts, topic_id: str
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._receipts = receipts
        self._topic_id = topic_id

    def settle_predecessor(self) -> None:
        """Find out what became of a plan that was left behind."""
        self._connection.execute(_SENT, [self._receipts.last()])
        self._connection.execute(_NOT_SENT)
        self._connection.commit()

    def send(self, replay_id: str, letters: Sequence[Ready]) -> None:
        """All of them or none; `replay_id` is new.

        Raises TransactionAborted, ProducerFenced, KafkaUnavailable, KafkaRefused, WarehouseUnavailable.
        """
        self._plan(replay_id, letters)
        self._publish(replay_id, letters)
        self._settle(replay_id)

    def _plan(self, replay_id: str, letters: Sequence[Ready]) -> None:
        rows = [(self._topic_id, *one.entry.place, replay_id, one.fixed) for one in letters]
        with self._connection.cursor() as cursor:
            cursor.executemany(_PLAN, rows)
        self._connection.commit()

    def _publish(self, replay_id: str, letters: Sequence[Ready]) -> None:
        self._publisher.begin()
        try:
            for one in letters:
                topic = one.entry.letter.source_topic
                self._publisher.send(topic, key=one.key, value=one.value, headers=self._headers(one))
            self._receipts.commit(self._publisher, replay_id)
        except TransactionAborted:
            self._publisher.abort()  # left open, it would hold up the workers
            raise

    def _settle(self, replay_id: str) -> None:
        self._connection.execute(_SENT, [replay_id])
        self._connection.commit()

    def _headers(self, one: Ready) -> list[Header]:
        """The trace goes on where the message was refused."""
        entry = one.entry
        return [
            schema_version_header(TOPICS[entry.letter.source_topic]),
            (TRACEPARENT, entry.traceparent.encode()),
            (REPLAY_OF, f"{self._topic_id}:{entry.place}".encode()),
        ]


@contextmanager
def sender(settings: Settings, connection: Connection, topic_id: str) -> Iterator[Sender]:
    """The one sender, its predecessor's plan settled. `topic_id`: of the dead letters.

    Raises ReplayFailed, KafkaUnavailable, KafkaRefused.
    """
    if not lock(connection, NAME):
        raise ReplayFailed("Another `bdp dlq replay` is under way. Try again when it is done.")
    receipts = Receipts(settings, NAME, DLQ.name)
    try:
        one = Sender(connection, TransactionalPublisher(settings, NAME), receipts, topic_id)
        one.settle_predecessor()
        yield one
    except (TransactionAborted, ProducerFenced) as error:
        raise ReplayFailed(
            f"Kafka gave the transaction up ({error}). Run it again: it finds out what was sent."
        ) from error
    finally:
        receipts.close()
