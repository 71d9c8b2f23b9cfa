"""Reading the dead letters: `bdp dlq list` and `bdp dlq show`."""

from __future__ import annotations

from base64 import b64decode
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.table import Table

from bdp_assets.clients.kafka import Message, read_range, stream_range, watermarks
from bdp_assets.contracts.codec import decode_dead_letter
from bdp_assets.contracts.headers import STEP
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.contracts.topics import DLQ
from bdp_assets.settings import Settings

NOT_REPLAYABLE = (
    "A masked letter can not be sent again as it is: many cards share its number. "
    "Put a token in the number's place."
)


@dataclass(frozen=True)
class Entry:
    """A dead letter at its place in the topic."""

    partition: int
    offset: int
    step: str
    letter: DeadLetter

    @property
    def place(self) -> str:
        return f"{self.partition}:{self.offset}"

    @property
    def original(self) -> bytes:
        return b64decode(self.letter.value_base64)


def last_entries(settings: Settings, most: int, error: str | None = None) -> list[Entry]:
    """The last `most` dead letters, oldest first; only those with that error code if one is given.

    Raises KafkaUnavailable, KafkaRefused.
    """
    kept: dict[int, deque[Entry]] = {}
    for batch in stream_range(settings, watermarks(settings, [DLQ.name])):
        for entry in map(_entry, batch):
            if error in (None, entry.letter.error):
                kept.setdefault(entry.partition, deque(maxlen=most)).append(entry)
    entries = [entry for partition in kept.values() for entry in partition]
    return sorted(entries, key=lambda entry: (entry.letter.received_ms, entry.partition, entry.offset))[
        -most:
    ]


def entry_at(settings: Settings, partition: int, offset: int) -> Entry | None:
    """The dead letter at that place, or None. Raises KafkaUnavailable, KafkaRefused."""
    low, end = watermarks(settings, [DLQ.name]).get((DLQ.name, partition), (0, 0))
    if not low <= offset < end:
        return None
    return next(map(_entry, read_range(settings, DLQ.name, partition, offset, offset + 1)), None)


def as_table(entries: list[Entry]) -> Table:
    """For a terminal."""
    columns = ("place", "received", "step", "error", "field", "raw message", "card number")
    note = NOT_REPLAYABLE if any(entry.letter.masked for entry in entries) else None
    table = Table(*columns, box=None, pad_edge=False, caption=note, caption_justify="left")
    for entry in entries:
        letter = entry.letter
        received = datetime.fromtimestamp(letter.received_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        source = f"{letter.source_partition}:{letter.source_offset}"
        table.add_row(
            entry.place, received, entry.step, letter.error, letter.field or "", source, _card(letter)
        )
    return table


def _card(letter: DeadLetter) -> str:
    """Equal for equal card numbers: the beginnings of their hashes."""
    return " ".join(hash_[:12] for hash_ in letter.pan_hashes) or ("masked" if letter.masked else "")


def _entry(message: Message) -> Entry:
    step = (message.header(STEP) or b"").decode()
    return Entry(message.partition, message.offset, step, decode_dead_letter(message.value or b""))
