"""Sends a source's batches exactly once, though PostgreSQL and Kafka commit apart.

As `dead_letters.sending` does (ADR 10): whoever ingests has the lock of the source in PostgreSQL and the only
producer of its name in Kafka. For each batch:

1. Plan: the position after it and the batch's id, committed in PostgreSQL.
2. Send: its rows, the labels that they tell, the letters of those that are refused, and the id as receipt, in
   one Kafka transaction.
3. Settle: the position becomes the planned one, committed in PostgreSQL.

Killed in between, there is a plan that nobody settled. The next one reads the last receipt: it names the
plan, then all of the batch was sent; or it does not, then nothing was.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bdp_assets.clients.kafka import (
    KafkaRefused,
    ProducerFenced,
    Receipts,
    TransactionAborted,
    TransactionalPublisher,
    watermarks,
)
from bdp_assets.clients.postgres import lock, session
from bdp_assets.contracts.codec import encode, schema_version_header
from bdp_assets.contracts.topics import DLQ, LABELS, RAW
from bdp_assets.ingest.sources.arrivals import Judged, Rejected
from bdp_assets.ingest.sources.chunk import Chunk
from bdp_assets.operations.ingest import letters
from bdp_assets.operations.ingest.positions import Positions
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings


class IngestFailed(Exception):  # noqa: N818 - reads as what it is
    """Somebody else ingests the source, or Kafka gave the transaction up. The next run finds out what was
    sent."""


class Sender:
    """The only one that sends this source; see `sender`."""

    def __init__(
        self,
        source: str,
        positions: Positions,
        publisher: TransactionalPublisher,
        receipts: Receipts,
        key: bytes,
    ) -> None:
        self._source = source
        self._positions = positions
        self._publisher = publisher
        self._receipts = receipts
        self._pan_key = key

    def settle_predecessor(self) -> None:
        """Find out what became of a batch that was left behind."""
        self._positions.settle(self._receipts.last())
        self._positions.drop_plan()

    def send(self, chunk: Chunk, rows: Judged, labels: Judged) -> None:
        """All of a chunk's rows and of the labels they tell or none, and its position.

        Raises TransactionAborted, ProducerFenced, KafkaUnavailable, KafkaRefused, WarehouseUnavailable.
        """
        batch_id = secrets.token_hex(12)
        self._positions.plan(chunk.part, chunk.after, batch_id)
        if rows.values or rows.rejected:
            self._publish(chunk.part, rows, labels, batch_id)
        self._positions.settle(batch_id)

    def _publish(self, part: str, rows: Judged, labels: Judged, batch_id: str) -> None:
        self._publisher.begin()
        try:
            for topic, one in ((RAW, rows), (LABELS, labels)):
                records = zip(one.customer_ids, one.values, strict=True)
                self._publisher.send_all(topic.name, records, headers=[schema_version_header(topic)])
            for row in (*rows.rejected, *labels.rejected):
                self._queue_letter(part, row)
            self._receipts.commit(self._publisher, batch_id)
        except (TransactionAborted, KafkaRefused):
            self._publisher.abort()  # left open, it would hold up the workers
            raise

    def _queue_letter(self, part: str, row: Rejected) -> None:
        now_ms = time.time_ns() // 1_000_000
        letter = letters.letter(self._source, part, row, now_ms=now_ms, pan_key=self._pan_key)
        self._publisher.send(
            DLQ.name, key=letter.source_topic, value=encode(letter), headers=letters.headers()
        )


@contextmanager
def sender(settings: Settings, source: str) -> Iterator[tuple[Sender, Positions]]:
    """The one sender of a source, its predecessor's batch settled.

    Raises IngestFailed, KafkaUnavailable, KafkaRefused, WarehouseUnavailable, PanKeyMissing.
    """
    name = f"bdp-ingest-{source}"
    key = pan_key(settings)
    _require_topics(settings)
    with session(settings) as connection:
        if not lock(connection, name):
            raise IngestFailed(f"Another `bdp ingest {source}` is under way. Try again when it is done.")
        receipts = Receipts(settings, name, RAW.name)
        positions = Positions(connection, source)
        try:
            one = Sender(source, positions, TransactionalPublisher(settings, name), receipts, key)
            one.settle_predecessor()
            yield one, positions
        except (TransactionAborted, ProducerFenced) as error:
            raise IngestFailed(
                f"Kafka gave the transaction up ({error}). Run it again: it finds out what was sent."
            ) from error
        finally:
            receipts.close()


def _require_topics(settings: Settings) -> None:
    needed = [RAW.name, LABELS.name, DLQ.name]
    there = {topic for topic, _ in watermarks(settings, needed)}
    if absent := [topic for topic in needed if topic not in there]:
        raise KafkaRefused(f"Kafka at {settings.kafka} has no topic {', '.join(absent)}: `bdp up` makes it.")
