"""One topic with one consumer group and one transactional producer, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bdp_assets.clients.kafka import Header, Message, Position, TransactionAborted


class FakeBroker:
    """What survives a worker: messages, committed offsets, committed outputs."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = list(messages)
        self.committed: dict[int, int] = {}
        self.outputs: list[tuple[str, str | bytes | None, bytes, tuple[Header, ...]]] = []


class FakeReader:
    """Hands out what is not committed; `rewind` goes back."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self._positions = dict(broker.committed)
        self.closed = False

    def poll(self, most: int, fill_s: float, idle_s: float) -> list[Message]:
        batch = [m for m in self._broker.messages if m.offset >= self._positions.get(m.partition, 0)][:most]
        for message in batch:
            self._positions[message.partition] = message.offset + 1
        return batch

    def rewind(self, positions: Sequence[Position]) -> None:
        for _, partition, offset in positions:
            self._positions[partition] = offset

    def membership(self) -> object:
        return self

    def lag(self) -> int:
        return sum(m.offset >= self._positions.get(m.partition, 0) for m in self._broker.messages)

    def close(self) -> None:
        self.closed = True


class FakePublisher:
    """`abortable` commits fail and want an abort."""

    def __init__(self, broker: FakeBroker, abortable: int = 0) -> None:
        self._broker = broker
        self._open: list[tuple[str, str | bytes | None, bytes, tuple[Header, ...]]] | None = None
        self.abortable = abortable

    def begin(self) -> None:
        assert self._open is None, "the transaction before was neither committed nor aborted"
        self._open = []

    def send(self, topic: str, *, key: str | bytes | None, value: bytes, headers: Sequence[Header]) -> None:
        assert self._open is not None
        self._open.append((topic, key, value, tuple(headers)))

    def commit(
        self, positions: Sequence[Position], membership: object, *, before: Callable[[], None]
    ) -> None:
        assert self._open is not None
        before()
        if self.abortable:
            self.abortable -= 1
            raise TransactionAborted("UNKNOWN_MEMBER_ID")
        self._broker.outputs += self._open
        self._broker.committed.update({partition: offset for _, partition, offset in positions})
        self._open = None

    def abort(self) -> None:
        self._open = None
