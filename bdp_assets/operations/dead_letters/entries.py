"""A dead letter as it stands in its topic: the refused bytes, and where they came from."""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from bdp_assets.clients.kafka import Message, read_range, stream_range, watermarks
from bdp_assets.contracts.codec import decode_dead_letter
from bdp_assets.contracts.headers import REPLAY_OF, STEP, TRACEPARENT
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.contracts.topics import DLQ
from bdp_assets.settings import Settings

NOT_REPLAYABLE = (
    "A masked letter can not be sent again as it is: many cards share its number. "
    "Put a token in the number's place."
)

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a dead letter stands in the present topic; as text `3:17`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True)
class Entry:
    """A dead letter at its place; `refused_ms` is its own Kafka timestamp (UTC epoch milliseconds)."""

    place: Place
    refused_ms: int
    step: str
    traceparent: str
    replay_of: str | None
    """The dead letter whose replay was refused here, as `topic-id:partition:offset`."""
    letter: DeadLetter

    @property
    def original(self) -> bytes:
        return b64decode(self.letter.value_base64)

    @property
    def trace_id(self) -> str:
        """32 hex digits, the same from the producer to whatever became of the message."""
        return self.traceparent[3:35]


def place_of(text: str) -> Place:
    """Raises ValueError for anything but PARTITION:OFFSET."""
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise ValueError("write PARTITION:OFFSET, such as 3:17")
    return Place(int(partition), int(offset))


def entry_at(settings: Settings, place: Place) -> Entry | None:
    """The dead letter at that place, or None. Raises KafkaUnavailable, KafkaRefused."""
    low, end = watermarks(settings, [DLQ.name]).get((DLQ.name, place.partition), (0, 0))
    if not low <= place.offset < end:
        return None
    messages = read_range(settings, DLQ.name, place.partition, place.offset, place.offset + 1)
    return next(entries_of(messages), None)


def entries_at(settings: Settings, places: Sequence[Place]) -> Iterator[Entry]:
    """The dead letters at those places, in the order of each partition; those that are gone stay out.

    Reads from the first to the last place of a partition. Raises KafkaUnavailable, KafkaRefused.
    """
    wanted = set(places)
    for batch in stream_range(settings, _ranges(settings, wanted)):
        yield from entries_of(m for m in batch if Place(m.partition, m.offset) in wanted)


def _ranges(settings: Settings, wanted: set[Place]) -> Mapping[tuple[str, int], tuple[int, int]]:
    ranges = {}
    for (topic, partition), (low, end) in watermarks(settings, [DLQ.name]).items():
        offsets = [place.offset for place in wanted if place.partition == partition]
        if offsets:
            ranges[topic, partition] = (max(low, min(offsets)), min(end, max(offsets) + 1))
    return ranges


def entries_of(messages: Iterable[Message]) -> Iterator[Entry]:
    """From messages of the dead-letter topic; what is no dead letter (only workers should write there) stays
    out, so that it holds up nothing. The lake quarantines it."""
    for message in messages:
        try:
            yield _entry(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            place = Place(message.partition, message.offset)
            _log.warning("a message on the dead-letter topic is no dead letter", extra={"place": str(place)})


def _entry(message: Message) -> Entry:
    replay_of = message.header(REPLAY_OF)
    return Entry(
        place=Place(message.partition, message.offset),
        refused_ms=message.timestamp_ms,
        step=(message.header(STEP) or b"").decode(),
        traceparent=(message.header(TRACEPARENT) or b"").decode(),
        replay_of=replay_of.decode() if replay_of else None,
        letter=decode_dead_letter(message.value or b""),
    )
