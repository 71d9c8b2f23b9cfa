"""Topics: create the missing, report the different, tell ids and offsets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import ConfigResource, NewTopic, OffsetSpec, ResourceType

from bdp_assets.clients.kafka.connection import TRANSACTION_TIMEOUT_MS, admin, consumer
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.settings import Settings

TIMEOUT_S = 10.0
STABLE_S = TRANSACTION_TIMEOUT_MS / 1000 + 12
"""A worker that hangs in mid-commit keeps its group's offsets from being told until the broker aborts its
transaction; brokers look for such ones every ten seconds by default."""


@dataclass(frozen=True)
class TopicSpec:
    """How a topic should be. `config` holds the broker's own names, e.g. `{"retention.ms": "604800000"}`."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    replication_factor: int = -1
    """-1: the broker's default."""


@dataclass(frozen=True)
class TopicReport:
    """What `ensure_topics` made, and each difference as a sentence (it never changes an existing topic)."""

    created: tuple[str, ...]
    differences: tuple[str, ...]


def ensure_topics(settings: Settings, specs: Sequence[TopicSpec], *, create: bool = True) -> TopicReport:
    """Create the topics that are missing and compare those that exist; `create=False` only compares.

    Raises KafkaUnavailable, KafkaRefused.
    """
    with translated(settings.kafka):
        client = admin(settings)
        present = _partitions(client)
        missing = [spec for spec in specs if spec.name not in present]
        existing = [spec for spec in specs if spec.name in present]
        if create and missing:
            _create(client, missing)
        differences = [] if create else [f"{spec.name} is missing" for spec in missing]
        differences += [
            f"{spec.name} has {present[spec.name]} partitions, the contract says {spec.partitions}"
            for spec in existing
            if present[spec.name] != spec.partitions
        ]
        differences += _config_differences(client, existing)
    return TopicReport(tuple(spec.name for spec in missing if create), tuple(differences))


def topic_names(settings: Settings) -> set[str]:
    """Every topic that there is, those of others too. Raises KafkaUnavailable, KafkaRefused."""
    with translated(settings.kafka):
        client = admin(settings)
        return set(_partitions(client))


def topic_ids(settings: Settings, names: Sequence[str]) -> dict[str, str]:
    """Topic name -> its unique id (22 characters); a topic that is made anew gets another one.

    Raises KafkaUnavailable; KafkaRefused if a topic is missing.
    """
    with translated(settings.kafka):
        client = admin(settings)  # kept in a name: the call dies with its client
        futures = client.describe_topics(TopicCollection(list(names)), request_timeout=TIMEOUT_S)
        ids = {name: str(future.result(TIMEOUT_S).topic_id) for name, future in futures.items()}
    # The driver writes plain base64; Kafka's own tools, and paths, use the URL-safe alphabet.
    return {name: text.replace("+", "-").replace("/", "_") for name, text in ids.items()}


def watermarks(
    settings: Settings, names: Sequence[str], *, committed: bool = True
) -> dict[tuple[str, int], tuple[int, int]]:
    """(topic, partition) -> (first offset, end), where `end` is one past the last committed record or marker.

    The same end that a read_committed reader can reach: an open transaction holds it back. With
    `committed=False` it is the very end, where a reader may have to wait for that transaction's end.
    Raises KafkaUnavailable, KafkaRefused; a topic that does not exist has no entries.
    """
    isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    with translated(settings.kafka):
        client = admin(settings)
        counts = _partitions(client)
        partitions = [(name, number) for name in names for number in range(counts.get(name, 0))]
        lows = _settled(lambda: _offsets(client, partitions, OffsetSpec.earliest(), isolation))
        highs = _settled(lambda: _offsets(client, partitions, OffsetSpec.latest(), isolation))
    return {partition: (lows[partition], highs[partition]) for partition in partitions}


def newest_times(settings: Settings, names: Sequence[str]) -> dict[str, int]:
    """Topic -> the latest timestamp of its messages (epoch ms); an empty or missing topic has no entry.

    Raises KafkaUnavailable, KafkaRefused.
    """
    with translated(settings.kafka):
        client = admin(settings)
        counts = _partitions(client)
        wanted = {
            TopicPartition(name, number): OffsetSpec.max_timestamp()
            for name in names
            for number in range(counts.get(name, 0))
        }
        futures = client.list_offsets(wanted, request_timeout=TIMEOUT_S) if wanted else {}
        times = [(place.topic, future.result(TIMEOUT_S).timestamp) for place, future in futures.items()]
    newest: dict[str, int] = {}
    for name, time_ms in times:
        if time_ms >= 0:
            newest[name] = max(time_ms, newest.get(name, 0))
    return newest


def committed_offsets(settings: Settings, group: str, names: Sequence[str]) -> dict[tuple[str, int], int]:
    """(topic, partition) -> the offset at which the group goes on; without those it never committed.

    Raises KafkaUnavailable, KafkaRefused.
    """
    # Asked as a consumer that never joins: the admin client's own call (librdkafka 2.16) ends this process by
    # segmentation fault when the coordinator is not ready or a transaction is open.
    reader = consumer(settings, group)
    try:
        with translated(settings.kafka):
            counts = _partitions(reader)
            wanted = [TopicPartition(name, number) for name in names for number in range(counts.get(name, 0))]
            positions = settled_offsets(reader, wanted) if wanted else []
    finally:
        reader.close()
    return {(p.topic, p.partition): p.offset for p in positions if p.offset >= 0}


def settled_offsets(reader: Any, wanted: list[TopicPartition]) -> list[TopicPartition]:
    """What the reader's group has committed; waits for a transaction that is under way."""
    return _settled(lambda: reader.committed(wanted, timeout=STABLE_S))


_SETTLING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_LEADER_EPOCH,
)

T = TypeVar("T")


def _settled(ask: Callable[[], T]) -> T:
    """A broker that just started, or just made a topic, names coordinator and leaders a moment later."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return ask()
        except KafkaException as exception:
            if exception.args[0].code() not in _SETTLING or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _partitions(client: Any) -> dict[str, int]:
    topics = client.list_topics(timeout=TIMEOUT_S).topics
    return {name: len(topic.partitions) for name, topic in topics.items()}


def _create(client: Any, specs: Sequence[TopicSpec]) -> None:
    new = [NewTopic(s.name, s.partitions, s.replication_factor, config=dict(s.config)) for s in specs]
    for future in client.create_topics(new, operation_timeout=TIMEOUT_S).values():
        try:
            future.result(TIMEOUT_S)
        except KafkaException as exception:
            if exception.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # somebody else was faster
                raise
    _await_leaders(client, [spec.name for spec in specs])


def _await_leaders(client: Any, names: Sequence[str]) -> None:
    """A broker knows of a topic, and who leads its partitions, a moment after it was made."""
    deadline = time.monotonic() + TIMEOUT_S
    while not all(map(_is_led, map(client.list_topics(timeout=TIMEOUT_S).topics.get, names))):
        if time.monotonic() > deadline:
            raise TimeoutError(f"new topics have no leader: {', '.join(names)}")
        time.sleep(0.05)


def _is_led(topic: Any) -> bool:
    return topic is not None and all(part.leader >= 0 for part in topic.partitions.values())


def _config_differences(client: Any, specs: Sequence[TopicSpec]) -> list[str]:
    resources = {ConfigResource(ResourceType.TOPIC, spec.name): spec for spec in specs if spec.config}
    if not resources:
        return []
    futures = client.describe_configs(list(resources), request_timeout=TIMEOUT_S)
    actual = {resource.name: future.result(TIMEOUT_S) for resource, future in futures.items()}
    return [
        f"{spec.name} has {key}={actual[spec.name][key].value}, the contract says {value}"
        for spec in resources.values()
        for key, value in spec.config.items()
        if actual[spec.name][key].value != value
    ]


def _offsets(
    client: Any, partitions: Sequence[tuple[str, int]], spec: Any, isolation: Any
) -> dict[tuple[str, int], int]:
    if not partitions:
        return {}
    futures = client.list_offsets(
        {TopicPartition(topic, number): spec for topic, number in partitions},
        isolation_level=isolation,
        request_timeout=TIMEOUT_S,
    )
    return {(p.topic, p.partition): future.result(TIMEOUT_S).offset for p, future in futures.items()}
