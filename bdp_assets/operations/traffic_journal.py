"""What traffic has sent: a file of JSON lines for each play, by which a proof can be made later."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec

from bdp_assets.simulator.spoil import BAD_KINDS

REPLAYED = "replayed"


class Outgoing(NamedTuple):
    """One record for the raw topic. `kind`: how the simulator made it, or `replayed`."""

    transaction_id: str
    customer_id: str
    value: bytes
    kind: str

    @property
    def is_bad(self) -> bool:
        """Whether the contract or the claim on the id is going to refuse it."""
        return self.kind in BAD_KINDS


class Answer(NamedTuple):
    """Of the API: HTTP status, what it decided, and whether it did so without the online store."""

    status: int
    decision: str | None = None
    degraded: bool = False


NO_ANSWER = Answer(0)


@dataclass
class Journal:
    """Counts and writes down records as they arrive, so that it holds no promise; for several threads."""

    file: TextIO
    kinds: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    bad: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path(self) -> Path:
        return Path(self.file.name)

    def delivered(self, record: Outgoing, sent_ms: int) -> None:
        with self._lock:
            self._write(record, sent_ms, door="kafka")

    def answered(self, record: Outgoing, sent_ms: int, answer: Answer) -> None:
        with self._lock:
            self.answers[answer.status] += 1
            if answer != NO_ANSWER:
                self._write(record, sent_ms, door="api", **answer._asdict())

    def _write(self, record: Outgoing, sent_ms: int, **how: Any) -> None:
        self.kinds[record.kind] += 1
        self.bad += record.is_bad
        ids = {"transaction_id": record.transaction_id, "customer_id": record.customer_id}
        self.file.write(json.dumps({**ids, "kind": record.kind, **how, "sent_ms": sent_ms}) + "\n")


def new_journal(home: Path) -> TextIO:
    """The next free traffic-<n>.jsonl in the folder `run` of BDP_HOME, open for writing."""
    directory = home / "run"
    directory.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        try:
            return (directory / f"traffic-{number}.jsonl").open("x", encoding="utf-8")
        except FileExistsError:
            number += 1


class Line(msgspec.Struct, frozen=True):
    """One record of a journal: what arrived, and what was answered where somebody answers."""

    transaction_id: str
    customer_id: str
    kind: str
    door: str
    sent_ms: int
    status: int = HTTPStatus.OK
    decision: str | None = None
    degraded: bool = False


_decode_line = msgspec.json.Decoder(Line).decode


def lines(home: Path) -> Iterator[Line]:
    """Every line of the journals of a BDP_HOME; a play that was killed may have left half of one."""
    for path in (home / "run").glob("traffic-*.jsonl"):
        with path.open("rb") as journal:
            yield from (_decode_line(line) for line in journal if line.endswith(b"}\n"))


def replayed_ids(home: Path) -> set[tuple[str, str]]:
    """(customer_id, transaction_id) of every replayed record in the journals of a BDP_HOME."""
    return {(line.customer_id, line.transaction_id) for line in lines(home) if line.kind == REPLAYED}
