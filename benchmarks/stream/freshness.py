"""How old a prediction is when it can be read: from `produce` to a read_committed reader."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import msgspec

from bdp_assets.clients.kafka import Publisher, TailReader
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.topics import PREDICTIONS, RAW
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

_PATIENCE_S = 30.0


class _Id(msgspec.Struct):
    transaction_id: str


class _Reader(threading.Thread):
    """Writes down when each prediction could be read that is made from now on."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self.read_at: dict[str, float] = {}
        self._stop_reading = threading.Event()
        self._decode = msgspec.json.Decoder(_Id).decode
        self._tail = TailReader(settings, PREDICTIONS.name)

    def __enter__(self) -> _Reader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_reading.set()
        self.join()
        self._tail.close()

    def run(self) -> None:
        while not self._stop_reading.is_set():
            messages = self._tail.read(1_000, 0.002)
            now = time.perf_counter()
            for message in messages:
                self.read_at[self._decode(message.value or b"").transaction_id] = now


def measured(settings: Settings, records: Iterator[Outgoing], rate: int, seconds: int) -> Sequence[float]:
    """Milliseconds of each message, the first second's left out. Raises Problem."""
    with _Reader(settings) as reader:
        sent_at = _sent(settings, records, rate, seconds)
        deadline = time.monotonic() + _PATIENCE_S
        while missing := sent_at.keys() - reader.read_at.keys():
            if time.monotonic() > deadline:
                raise Problem(f"{len(missing)} messages got no prediction.", "The bench is at fault.")
            time.sleep(0.1)
        return [1_000 * (reader.read_at[name] - at) for name, at in list(sent_at.items())[rate:]]


def _sent(settings: Settings, records: Iterator[Outgoing], rate: int, seconds: int) -> dict[str, float]:
    publisher, version = Publisher(settings), schema_version_header(RAW)
    sent_at: dict[str, float] = {}
    began = time.perf_counter()
    for number in range(rate * seconds):
        record = next(records)
        ahead = began + number / rate - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
        sent_at[record.transaction_id] = time.perf_counter()
        publisher.send(RAW.name, key=record.customer_id, value=record.value, headers=[version])
    publisher.flush()
    return sent_at
