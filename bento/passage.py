"""What is under way from one spool to Kafka: queued in order, forgotten once all before it is delivered."""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from typing import Any

from bdp_assets.clients.kafka import Header
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.headers import DECISION, DECISION_PROOF, TRACEPARENT, trace_id
from bdp_assets.contracts.topics import TOPICS
from bdp_assets.decisions.carried import proof
from bdp_assets.observability import tracing
from bdp_assets.observability.metrics import API_UNDELIVERED
from bdp_assets.observability.traced_batch import Span
from bento.spool.frames import Arrival
from bento.spool.reader import Reader, Ready
from bento.spool.spool import Spool

_VERSIONS = {name: schema_version_header(topic) for name, topic in TOPICS.items()}

_log = logging.getLogger("bdp.api.raw_topic")


class Passage:
    """A spool's. A message that was under way when the process was killed is sent again: the stream knows it
    by its claim."""

    def __init__(self, spool: Spool, key: bytes) -> None:
        """`key` proves to the stream that a decision is the platform's own."""
        self.spool = spool
        self._key = key
        self._reader = Reader(spool.folder, spool.sent)
        self._under_way: deque[int] = deque()
        self._delivered: set[int] = set()

    @property
    def is_under_way(self) -> bool:
        return bool(self._under_way)

    def send(self, producer: Any, most: int) -> bool:
        """Queue what is ready, until so many are under way; whether there was anything. Raises OSError."""
        self._reader.hear(self.spool.late)
        ready = self._reader.ready(most - len(self._under_way))
        for one in ready:
            self._send(producer, one)
        return bool(ready)

    def forget(self) -> None:
        """All up to the first that is still under way is done with. Raises OSError."""
        last = 0
        while self._under_way and self._under_way[0] in self._delivered:
            last = self._under_way.popleft()
            self._delivered.remove(last)
        if last:
            self.spool.forget(last)

    def _send(self, producer: Any, ready: Ready) -> None:
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
        producer.produce(
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
