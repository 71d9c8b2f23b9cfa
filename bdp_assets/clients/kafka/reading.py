"""Reading exact offset ranges, outside any consumer group."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from bdp_assets.clients.kafka.connection import consumer
from bdp_assets.clients.kafka.errors import KafkaUnavailable, OffsetsGone, translate, translated
from bdp_assets.clients.kafka.message import Message, from_driver
from bdp_assets.settings import Settings

BATCH = 5_000
STALLED_S = 30.0

Partition = tuple[str, int]


def read_range(settings: Settings, topic: str, partition: int, start: int, end: int) -> list[Message]:
    """Committed records with start <= offset < end, in order; see `stream_range` for what is raised."""
    ranges = {(topic, partition): (start, end)}
    return [message for batch in stream_range(settings, ranges) for message in batch]


def stream_range(settings: Settings, ranges: Mapping[Partition, tuple[int, int]]) -> Iterator[list[Message]]:
    """Committed records of each (topic, partition) with start <= offset < end: in batches, ordered.

    A range is done when the reader's position reaches `end`: the last offsets may be transaction markers or
    aborted records, which never come out.
    Raises OffsetsGone if `start` is not in the topic, KafkaUnavailable after 30 s of nothing, KafkaRefused.
    """
    open_ranges = {partition: ends for partition, ends in ranges.items() if ends[0] < ends[1]}
    if not open_ranges:
        return
    reader = consumer(
        settings,
        "bdp-range-reader",
        **{"enable.partition.eof": True, "auto.offset.reset": "error", "fetch.wait.max.ms": 50},
    )
    try:
        with translated(settings.kafka):
            reader.assign(
                [TopicPartition(*partition, start) for partition, (start, _) in open_ranges.items()]
            )
            yield from _batches(reader, settings.kafka, {p: end for p, (_, end) in open_ranges.items()})
    finally:
        reader.close()


def _batches(reader: Any, bootstrap: str, ends: dict[Partition, int]) -> Iterator[list[Message]]:
    deadline = time.monotonic() + STALLED_S
    while ends:
        events = reader.consume(BATCH, 0.1)
        batch = [from_driver(event) for event in events if _wanted(event, bootstrap, ends)]
        if events:
            deadline = time.monotonic() + STALLED_S
        elif time.monotonic() > deadline:
            raise KafkaUnavailable(bootstrap, f"{len(ends)} partitions gave nothing for {STALLED_S:g} s")
        if batch:
            yield batch


def _wanted(event: Any, bootstrap: str, ends: dict[Partition, int]) -> bool:
    """Whether the event is a record within its range; a range whose end is reached is closed."""
    partition = (event.topic(), event.partition())
    end = ends.get(partition)
    error = event.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        _raise(bootstrap, error, partition)
    if end is None:
        return False
    position = event.offset() + (1 if error is None else 0)
    if position >= end:
        del ends[partition]
    return error is None and event.offset() < end


def _raise(bootstrap: str, error: Any, partition: Partition) -> None:
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        raise OffsetsGone(
            f"{partition[0]}[{partition[1]}] does not have the asked offsets: retention removed them, or the "
            "topic was made anew. Compare with `bdp topics list`."
        )
    raise translate(bootstrap, error)
