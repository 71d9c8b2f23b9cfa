"""Messages on the raw topic, each when it is due; the answer is its prediction, when a reader can have it."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from typing import NamedTuple

import msgspec

from bdp_assets.clients.kafka import DeliveryFailed, KafkaUnavailable, Publisher, TailReader
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.topics import PREDICTIONS, RAW
from bdp_assets.operations.load.session import Session
from bdp_assets.operations.load.tally import Outcome
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.settings import Settings

PATIENCE_S = 30.0
MOST_WAITING = 100_000
"""Messages without a prediction: half of what the producer's queue holds."""
PREDICTED = Outcome("predicted", right=True, served=True)
NO_PREDICTION = Outcome("no prediction", right=False, served=False)
NOT_WRITTEN = Outcome("not written", right=False, served=False)
_TICK_S, _LAST_REPORTS_S = 0.002, 1.0


class Key(NamedTuple):
    """Of a transaction."""

    customer_id: str
    transaction_id: str


class _Prediction(msgspec.Struct):
    customer_id: str
    transaction_id: str


_decode = msgspec.json.Decoder(_Prediction).decode


class Predictions(threading.Thread):
    """Reads predictions from now on, and notes when (`time.perf_counter`) each could be read."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self.found: queue.SimpleQueue[tuple[Key, float]] = queue.SimpleQueue()
        self.failure: Exception | None = None
        self._over = threading.Event()
        self._reader = TailReader(settings, PREDICTIONS.name)

    def __enter__(self) -> Predictions:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self._reader.close()

    def run(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits for them
            self.failure = error

    def _read(self) -> None:
        while not self._over.is_set():
            messages = self._reader.read(1_000, _TICK_S)
            now = time.perf_counter()
            for message in messages:
                told = _decode(message.value or b"")
                self.found.put((Key(told.customer_id, told.transaction_id), now))


def drive(session: Session, settings: Settings) -> None:
    """Until every message has its prediction, was given up, or the run was stopped.

    Raises KafkaUnavailable, KafkaRefused, and what the source of the records raises.
    """
    with Predictions(settings) as predictions:
        _Driver(session, Publisher(settings), predictions).run()


class _Driver:
    def __init__(self, session: Session, publisher: Publisher, predictions: Predictions) -> None:
        self._session, self._publisher, self._predictions = session, publisher, predictions
        self._waiting: dict[Key, int] = {}
        self._ended = 0
        self._headers = [schema_version_header(RAW)]

    def run(self) -> None:
        self._began = time.perf_counter()
        while not self._session.look(self._now(), self._ended):
            self._send_due()
            self._publisher.poll()
            self._match()
            time.sleep(self._pause_s())
        # What failed was counted when it was told, and what still waits has no prediction either.
        with suppress(DeliveryFailed, KafkaUnavailable):
            self._publisher.flush(_LAST_REPORTS_S)
        self._session.close(self._now(), dict.fromkeys(self._waiting.values(), NO_PREDICTION))

    def _pause_s(self) -> float:
        """Until the next message is due, and not so long that answers wait to be heard."""
        late_s = self._session.late(self._now())
        if late_s is None or len(self._waiting) >= MOST_WAITING:
            return _TICK_S
        return min(_TICK_S, max(0.0, -late_s))

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _send_due(self) -> None:
        """A few hundred at most, so that answers are heard in between."""
        for _ in range(500):
            late_s = self._session.late(self._now())
            if late_s is None or late_s < 0 or len(self._waiting) >= MOST_WAITING:
                return
            record = self._session.feed.next()
            if record is None:
                self._session.end_of_source()
                return
            self._send(record, late_s)

    def _send(self, record: Outgoing, late_s: float) -> None:
        number, key = self._session.sent, Key(record.customer_id, record.transaction_id)
        sent_ms = time.time_ns() // 1_000_000
        self._session.sent += 1
        self._session.tally.sent(number, late_s)
        self._waiting[key] = number

        def delivered(written: bool) -> None:
            if not written:
                self._end(key, self._now(), NOT_WRITTEN)
            elif self._session.journal is not None:
                self._session.journal.delivered(record, sent_ms)

        self._publisher.send(
            RAW.name, key=key.customer_id, value=record.value, headers=self._headers, on_delivery=delivered
        )

    def _match(self) -> None:
        """Predictions of others are none of ours."""
        if self._predictions.failure is not None:
            raise self._predictions.failure
        while not self._predictions.found.empty():
            key, read_at = self._predictions.found.get()
            if key in self._waiting:
                self._end(key, read_at - self._began, PREDICTED)

    def _end(self, key: Key, at_s: float, outcome: Outcome) -> None:
        number = self._waiting.pop(key, None)
        if number is not None:
            self._ended += 1
            self._session.tally.ended(number, self._session.latency(number, at_s), outcome)
