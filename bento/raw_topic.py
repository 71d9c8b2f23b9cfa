"""The way from the spool to Kafka: in the background, in order, without end in time.

Transactions go to `transactions-raw-v1`, labels to `fraud-labels-v1`.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from functools import partial
from typing import Any

from bdp_assets.clients.kafka import Header, KafkaRefused, KafkaUnavailable, producer
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.headers import DECISION, DECISION_PROOF, TRACEPARENT, trace_id
from bdp_assets.contracts.topics import RAW, TOPICS
from bdp_assets.decisions.carried import proof
from bdp_assets.observability import tracing
from bdp_assets.observability.metrics import API_SPOOL_BYTES, API_SPOOL_WAITING, API_UNDELIVERED
from bdp_assets.observability.traced_batch import Span
from bdp_assets.settings import Settings
from bento.spool.frames import Arrival
from bento.spool.reader import Reader, Ready
from bento.spool.spool import Spool

AT_ONCE = 1_000
"""How many messages may be under way to the broker."""
PROBE_S = 1.0
WAIT_S = 0.05
GATHER_S = 0.05
"""How long messages gather before they are sent: each look into the spool costs the answers some time."""
CLOSE_S = 10.0

_VERSIONS = {name: schema_version_header(topic) for name, topic in TOPICS.items()}

_log = logging.getLogger("bdp.api.raw_topic")


class RawTopic:
    """Drains a spool.

    A message that was under way when the process was killed is sent again: the stream knows it by its claim.
    """

    def __init__(self, settings: Settings, spool: Spool, key: bytes) -> None:
        """`key` proves to the stream that a decision is the platform's own."""
        self._bootstrap = settings.kafka
        self._spool = spool
        self._key = key
        self._reader = Reader(spool.folder, spool.sent)
        self._under_way: deque[int] = deque()
        self._delivered: set[int] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._drain, name="raw topic", daemon=True)
        self._broken = False
        # The spool is the queue: a message is tried until it is delivered, however long the broker is away.
        self._producer: Any = producer(settings, **{"delivery.timeout.ms": 0})

    def start(self) -> None:
        self._thread.start()

    def report(self) -> None:
        """Set what metrics say of the spool."""
        API_SPOOL_BYTES.set(self._spool.size_bytes)
        API_SPOOL_WAITING.set(self._spool.waiting)

    def is_up(self) -> bool:
        """Ask the broker for the topic (at most a second)."""
        if self._broken:
            return False
        try:
            with translated(self._bootstrap):
                self._producer.list_topics(RAW.name, timeout=PROBE_S)
        except (KafkaUnavailable, KafkaRefused):
            return False
        return True

    def close(self) -> None:
        """Send for a while what is left; the rest stays in the spool for the next process."""
        self._stopped.set()
        self._spool.written.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S + 1.0)
        if self._spool.waiting:
            _log.warning("stopped before Kafka took all messages", extra={"messages": self._spool.waiting})

    def _drain(self) -> None:
        while not self._stopped.is_set():
            try:
                self._step()
            except OSError as error:  # The disk: what is there stays there.
                _log.error("can not read or mark the spool", extra={"reason": error.strerror})
                self._stopped.wait(PROBE_S)
            except (KafkaUnavailable, KafkaRefused) as error:  # The driver gave up on this broker.
                self._broken = True
                _log.error("nothing more is sent: restart the API", extra={"reason": str(error)})
                return
        self._producer.flush(CLOSE_S)
        self._forget()

    def _step(self) -> None:
        """Send what is ready, and note what was delivered."""
        self._spool.written.clear()
        ready = self._reader.ready(AT_ONCE - len(self._under_way))
        with translated(self._bootstrap):
            for one in ready:
                self._send(one)
        self._producer.poll(0)
        self._forget()
        if ready:
            self._stopped.wait(GATHER_S)
        elif self._under_way:
            self._producer.poll(WAIT_S)
        else:
            self._spool.written.wait(PROBE_S)

    def _send(self, ready: Ready) -> None:
        """Queue the body as it came, timed when it was received: the stream judges its timestamp so."""
        number, arrival, outcome = ready.came.number, ready.came.arrival, ready.outcome
        self._under_way.append(number)
        if not outcome.sends:
            self._delivered.add(number)
            return
        span = _span(arrival) if tracing.is_on() else None
        headers = [_VERSIONS[arrival.topic], *(arrival.headers if span is None else _under(span, arrival))]
        if outcome.decision:
            proven = proof(self._key, arrival.value, outcome.decision)
            headers += (DECISION, outcome.decision), (DECISION_PROOF, proven)
        self._producer.produce(
            arrival.topic,
            arrival.value,
            arrival.key,
            headers=headers,
            timestamp=arrival.received_ms,
            on_delivery=partial(self._settle, number, arrival, span),
        )

    def _settle(self, number: int, arrival: Arrival, span: Span | None, error: Any, _: object) -> None:
        self._delivered.add(number)
        if span is not None:
            span.end(error=None if error is None else error.name())
        if error is not None:
            API_UNDELIVERED.inc()
            _log.error(
                "what was answered does not reach the stream",
                extra={"reason": error.name(), **_trace(arrival)},
            )

    def _forget(self) -> None:
        """All up to the first that is still under way is done with."""
        last = 0
        while self._under_way and self._under_way[0] in self._delivered:
            last = self._under_way.popleft()
            self._delivered.remove(last)
        if last:
            self._spool.forget(last)


def _span(arrival: Arrival) -> Span | None:
    traceparent = dict(arrival.headers).get(TRACEPARENT)
    return None if traceparent is None else tracing.sending(arrival.topic, traceparent.decode())


def _under(span: Span, arrival: Arrival) -> list[Header]:
    """Its headers with the context of the sending, of which the stream's work is a part."""
    own = span.traceparent.encode()
    return [(name, own if name == TRACEPARENT else value) for name, value in arrival.headers]


def _trace(arrival: Arrival) -> dict[str, str]:
    """For a log line; empty where the arrival has no trace context."""
    traceparent = dict(arrival.headers).get(TRACEPARENT)
    return {} if traceparent is None else {"trace_id": trace_id(traceparent)}
