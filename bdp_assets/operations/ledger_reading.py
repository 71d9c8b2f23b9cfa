"""What the ledger keeps of each message: which raw message it came from, in eight bytes."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.headers import SOURCE, STEP
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED

_NAMES = {
    VALIDATED.name: "validated",
    ENRICHED.name: "enriched",
    PREDICTIONS.name: "predictions",
    ALERTS.name: "alerts",
}
_STEPS = ("validate", "enrich", "score")


class _Id(msgspec.Struct, gc=False):
    customer_id: str
    transaction_id: str


class _Error(msgspec.Struct, gc=False):
    error: str


_decode_id = msgspec.json.Decoder(_Id).decode
_decode_error = msgspec.json.Decoder(_Error).decode


@dataclass(frozen=True)
class Cut:
    """The raw messages under proof: lows[partition] <= offset < ends[partition] of this topic id."""

    topic_id: str
    lows: Mapping[int, int]
    ends: Mapping[int, int]

    def source(self, partition: int, offset: int) -> int | None:
        """The message as one integer; None outside the cut."""
        if not self.lows.get(partition, 0) <= offset < self.ends.get(partition, 0):
            return None
        return partition << 48 | offset

    def source_of(self, message: Message) -> int | None:
        """The raw message that a record came from; None outside the cut or of a raw topic before this one."""
        topic_id, _, position = (message.header(SOURCE) or b"").decode().partition(":")
        partition, _, offset = position.partition(":")
        return self.source(int(partition), int(offset)) if topic_id == self.topic_id else None


class Entries:
    """Sources by kind of record, gathered batch by batch."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._sources: dict[str, array[int]] = defaultdict(lambda: array("q"))
        self._ids: set[tuple[str, str]] = set()
        self._predictions = 0
        self._waiting = 0
        self.errors: list[str] = []

    def add(self, batch: Sequence[Message]) -> None:
        """Take in records of any of the six topics."""
        for message in batch:
            if message.topic == RAW.name:
                self._add_raw(message)
            else:
                source = self._cut.source_of(message)
                if source is not None:
                    self._sources[self._kind(message)].append(source)

    def of(self, kind: str) -> NDArray[np.int64]:
        """Sources of that kind, int64."""
        return np.array(self._sources[kind], dtype=np.int64)

    def counts(self) -> dict[str, int]:
        kinds = ("raw", *_NAMES.values(), *(f"refused by {step}" for step in _STEPS))
        return {**{kind: len(self._sources[kind]) for kind in kinds}, "waiting": self._waiting}

    def doubled_ids(self) -> int:
        """Predictions beyond the first of their customer and transaction_id."""
        return self._predictions - len(self._ids)

    def _add_raw(self, message: Message) -> None:
        source = self._cut.source(message.partition, message.offset)
        if source is None:
            self._waiting += 1
        else:
            self._sources["raw"].append(source)

    def _kind(self, message: Message) -> str:
        if message.topic == DLQ.name:
            self.errors.append(_decode_error(message.value or b"").error)
            return f"refused by {(message.header(STEP) or b'?').decode()}"
        if message.topic == PREDICTIONS.name:
            prediction = _decode_id(message.value or b"")
            self._ids.add((prediction.customer_id, prediction.transaction_id))
            self._predictions += 1
        return _NAMES[message.topic]
