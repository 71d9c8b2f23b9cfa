"""What the ledger keeps of each message: a mark at the raw message that it came from.

Two bytes a raw message and 13 a prediction, whatever their size; with what sorting them takes at the end,
measured, 79 MB a million.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.headers import SOURCE, STEP
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED
from bdp_assets.operations.ledger_ids import Decisions, Ids

_NAMES = {
    RAW.name: "raw",
    VALIDATED.name: "validated",
    ENRICHED.name: "enriched",
    PREDICTIONS.name: "predictions",
    ALERTS.name: "alerts",
}
_STEPS = ("validate", "enrich", "score")
REFUSED = tuple(f"refused by {step}" for step in _STEPS)
KINDS = (*_NAMES.values(), *REFUSED)
_ELSEWHERE = "refused by another step"
_BITS = {kind: 1 << place for place, kind in enumerate((*KINDS, _ELSEWHERE))}
OUTCOMES = ("predictions", *REFUSED)


class _Id(msgspec.Struct, gc=False):
    customer_id: str
    transaction_id: str


class _Decided(_Id, gc=False):
    decision: str
    ts_ms: int
    amount_base_minor: int

    @property
    def body(self) -> str:
        return f"{self.ts_ms} {self.amount_base_minor}"


class _Error(msgspec.Struct, gc=False):
    error: str


_decode_id = msgspec.json.Decoder(_Id).decode
_decode_decided = msgspec.json.Decoder(_Decided).decode
_decode_error = msgspec.json.Decoder(_Error).decode


@dataclass(frozen=True)
class Cut:
    """The raw messages under proof: lows[partition] <= offset < ends[partition] of this topic id."""

    topic_id: str
    lows: Mapping[int, int]
    ends: Mapping[int, int]

    def holds(self, partition: int, offset: int) -> bool:
        return self.lows.get(partition, 0) <= offset < self.ends.get(partition, 0)

    def source_of(self, message: Message) -> tuple[int, int] | None:
        """Partition and offset that a record came from; None outside the cut or of a raw topic before it."""
        topic_id, _, position = (message.header(SOURCE) or b"").decode().partition(":")
        partition, _, offset = position.partition(":")
        if topic_id != self.topic_id or not self.holds(int(partition), int(offset)):
            return None
        return int(partition), int(offset)


class Entries:
    """Marks at raw messages, gathered batch by batch."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._marks = {p: array("H", bytes(2 * max(0, end - cut.lows[p]))) for p, end in cut.ends.items()}
        self._records: Counter[str] = Counter()
        self._doubled: Counter[str] = Counter()
        self._waiting = 0
        self.errors: Counter[str] = Counter()
        self.predicted = Decisions()
        self.alerted = Ids()
        self.waiting = Ids()
        """Of raw messages that nobody has taken yet, as far as they can be read."""

    def add(self, batch: Sequence[Message]) -> None:
        """Take in records of the six topics of scoring; those of others are passed over."""
        for message in batch:
            if message.topic == RAW.name:
                self._add_raw(message)
            elif message.topic in _NAMES or message.topic == DLQ.name:
                source = self._cut.source_of(message)
                if source is not None:
                    self._mark(self._kind(message), *source)

    def records(self, *kinds: str) -> int:
        """Number of records of these kinds."""
        return sum(self._records[kind] for kind in kinds)

    def doubled(self, *kinds: str) -> int:
        """Records beyond the first of their kind and raw message."""
        return sum(self._doubled[kind] for kind in kinds)

    def having(self, *kinds: str, without: Sequence[str] = ()) -> int:
        """Number of raw messages that have a record of one of these kinds, and none of the others."""
        wanted, unwanted = (np.uint16(sum(_BITS[kind] for kind in some)) for some in (kinds, without))
        return sum(
            int((((marks & wanted) != 0) & ((marks & unwanted) == 0)).sum()) for marks in self._all_marks()
        )

    def counts(self) -> dict[str, int]:
        return {**{kind: self._records[kind] for kind in KINDS}, "waiting": self._waiting}

    def _all_marks(self) -> list[NDArray[np.uint16]]:
        return [np.frombuffer(marks, dtype=np.uint16) for marks in self._marks.values() if marks]

    def _add_raw(self, message: Message) -> None:
        if self._cut.holds(message.partition, message.offset):
            self._mark("raw", message.partition, message.offset)
            return
        self._waiting += 1
        try:
            self.waiting.add(_decode_id(message.value or b""))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # it will be refused, and nobody was promised a prediction of it

    def _mark(self, kind: str, partition: int, offset: int) -> None:
        marks, at = self._marks[partition], offset - self._cut.lows[partition]
        self._records[kind] += 1
        if marks[at] & _BITS[kind]:
            self._doubled[kind] += 1
        marks[at] |= _BITS[kind]

    def _kind(self, message: Message) -> str:
        if message.topic == DLQ.name:
            self.errors[_decode_error(message.value or b"").error] += 1
            kind = f"refused by {(message.header(STEP) or b'?').decode()}"
            return kind if kind in _BITS else _ELSEWHERE
        if message.topic == PREDICTIONS.name:
            decided = _decode_decided(message.value or b"")
            self.predicted.add(decided, decided.decision, decided.body)
        elif message.topic == ALERTS.name:
            self.alerted.add(_decode_id(message.value or b""))
        return _NAMES[message.topic]
