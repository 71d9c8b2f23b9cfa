"""A source that is a topic of another Kafka: JSON objects, each partition on from the offset where it ended.

A position is {topic_id, offset}: a topic that was made anew has another id, and is read from its beginning.
Only committed messages are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bdp_assets.clients.kafka import Message, OffsetsGone, stream_range, topic_ids, watermarks
from bdp_assets.ingest.sources.chunk import Chunk, Position, Unreadable
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.ingest.sources.frames import frame_of
from bdp_assets.ingest.sources.text_rows import Record, Row, json_row
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings, get_settings, secret_of

PositionOf = Callable[[str], Position | None]
_NO_SECRETS = {"kafka_username": None, "kafka_password": None, "kafka_ca_file": None}
"""Ours are not for other brokers."""


def chunks(source: Source, position_of: PositionOf) -> Iterator[Chunk]:
    """What each partition has by now. Raises Problem, KafkaUnavailable, KafkaRefused."""
    settings = _broker(source)
    topic = str(source.topic)
    ends = watermarks(settings, [topic])
    if not ends:
        raise Problem(
            f"Kafka at ${source.bootstrap_variable} has no topic {topic}.",
            f"Mend `topic` of source {source.name}, or make the topic there.",
        )
    topic_id = topic_ids(settings, [topic])[topic]
    for (_, partition), (low, end) in sorted(ends.items()):
        at = position_of(str(partition))
        start = int(at["offset"]) if at is not None and at["topic_id"] == topic_id else low
        for messages, after in _batches(source, settings, (partition, start, end)):
            yield _chunk(source, str(partition), messages, {"topic_id": topic_id, "offset": after})


def _broker(source: Source) -> Settings:
    """Raises Problem."""
    bootstrap = secret_of(str(source.bootstrap_variable))
    if not bootstrap:
        raise Problem(
            f"The environment variable {source.bootstrap_variable} of source {source.name} is not set.",
            f"export {source.bootstrap_variable}=host:port[,...]",
        )
    return get_settings().model_copy(update={"kafka_bootstrap": bootstrap, **_NO_SECRETS})


def _batches(
    source: Source, settings: Settings, wanted: tuple[int, int, int]
) -> Iterator[tuple[Sequence[Message], int]]:
    """Messages of (partition, start, end), `batch_rows` at a time, each with the offset after them."""
    partition, start, end = wanted
    found: list[Message] = []
    try:
        for batch in stream_range(settings, {(str(source.topic), partition): (start, end)}):
            found += batch
            while len(found) > source.batch_rows:
                full, found = found[: source.batch_rows], found[source.batch_rows :]
                yield full, full[-1].offset + 1
    except OffsetsGone as error:
        raise Problem(
            f"Partition {partition} of {source.topic} no longer has offset {start}: messages were deleted "
            "before they were read.",
            f"`bdp sources forget {source.name}` reads what is left; what was sent before is refused as "
            "`duplicate`.",
        ) from error
    if start < end:  # Also where the last offsets are markers of transactions.
        yield found, end


def _chunk(source: Source, part: str, messages: Sequence[Message], after: Mapping[str, object]) -> Chunk:
    rows: list[Row] = [json_row(message.offset, message.value or b"") for message in messages]
    records = [row for row in rows if isinstance(row, Record)]
    return Chunk(
        part=part,
        frame=frame_of(source, [record.values for record in records]),
        places=[record.place for record in records],
        original=lambda index: records[index].original,
        unreadable=[row for row in rows if isinstance(row, Unreadable)],
        after=after,
    )
