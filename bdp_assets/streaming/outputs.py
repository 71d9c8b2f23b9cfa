"""From items to Kafka records: topic, key, value and headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

from bdp_assets.clients.kafka import Header, Message
from bdp_assets.contracts.codec import encode, extended, schema_version_header
from bdp_assets.contracts.headers import REPLAY_OF, SOURCE, STEP, TRACEPARENT, may_go_on, trace_id
from bdp_assets.contracts.pan import holds_pan
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, TOPICS, VALIDATED, Topic
from bdp_assets.features.catalog import CATALOG
from bdp_assets.observability.trace_context import begun
from bdp_assets.streaming import dlq
from bdp_assets.streaming.items import Dead, Decided, Enriched, Output, Validated

_PLACE = re.compile(rb"[A-Za-z0-9_-]{22}:[0-9]{1,9}:[0-9]{1,19}")
_VERSIONS = {topic.name: schema_version_header(topic) for topic in TOPICS.values()}

Headers = Callable[[Message, Topic], tuple[Header, ...]]


def coordinates(topic_id: str, message: Message) -> str:
    """What names a message for ever, also after its topic was made anew."""
    return f"{topic_id}:{message.partition}:{message.offset}"


def headers(coordinates: Callable[[Message], str]) -> Headers:
    """Headers of an output: source and trace context of its message, schema version of its own topic."""
    origins: dict[tuple[int, int], tuple[Header, Header]] = {}

    def of(message: Message, topic: Topic) -> tuple[Header, ...]:
        place = (message.partition, message.offset)
        origin = origins.get(place)
        if origin is None:  # a message has up to four outputs
            source = coordinates(message).encode()
            origin = origins[place] = (SOURCE, source), (TRACEPARENT, trace_context(message, source))
        return (*origin, _VERSIONS[topic.name])

    return of


def trace_context(message: Message, source: bytes) -> bytes:
    """The producer's trace context, or one, of no recorded trace, that every redelivery makes again."""
    sent = message.header(TRACEPARENT)
    if sent is not None and may_go_on(sent.decode("latin-1")):
        return sent
    return begun(int.from_bytes(blake2b(source, digest_size=24).digest()), sampled=False).encode()


def trace_ids(coordinates: Callable[[Message], str]) -> Callable[[Message], str]:
    """The trace that each message belongs to: 32 hex digits."""
    return lambda message: trace_id(trace_context(message, coordinates(message).encode()))


def validated_records(items: Sequence[Validated], headers: Headers) -> Iterator[Output]:
    for message, transaction, value in items:
        yield Output(VALIDATED.name, transaction.customer_id, value, headers(message, VALIDATED))


def enriched_records(items: Sequence[Enriched], headers: Headers) -> Iterator[Output]:
    """As `EnrichedTransaction` has it: the validated transaction and what was served for it."""
    for message, transaction, value, enrichment, features in items:
        served = {
            "catalog_version": CATALOG.version,
            "apply_seq": enrichment.apply_seq,
            "features": features,
        }
        yield Output(
            ENRICHED.name, transaction.customer_id, extended(value, served), headers(message, ENRICHED)
        )


def decided_records(items: Sequence[Decided], headers: Headers) -> Iterator[Output]:
    """Predictions, each followed by its alert if it has one."""
    for message, customer_id, prediction, alert in items:
        yield Output(PREDICTIONS.name, customer_id, prediction, headers(message, PREDICTIONS))
        if alert is not None:
            yield Output(ALERTS.name, customer_id, encode(alert), headers(message, ALERTS))


def dead_records(items: Sequence[Dead], headers: Headers, pan_key: bytes) -> Iterator[Output]:
    """Keyed by their source topic: a customer_id may be what is broken, or hold a card number."""
    for item in items:
        value = encode(dlq.letter(item, pan_key))
        own = (*headers(item.message, DLQ), (STEP, item.step.encode()), *_replay_of(item.message))
        yield Output(DLQ.name, item.message.topic, value, own)


def _replay_of(message: Message) -> Iterator[Header]:
    """The dead letter that was sent again and refused again, so that a person can follow the chain."""
    sent = message.header(REPLAY_OF)
    if sent is not None and _PLACE.fullmatch(sent) and not holds_pan(sent.decode()):
        yield REPLAY_OF, sent
