"""What goes over the wire: counted by the server, and recorded to be sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from redis import Redis
from redis._parsers.hiredis import NOT_ENOUGH_DATA, _HiredisParser

from bdp_assets.clients.redis_exchange import answers
from bdp_assets.settings import Settings
from benchmarks.services import connected


@dataclass(frozen=True)
class Traffic:
    """Bytes on the wire of one call, on average."""

    request: float
    reply: float

    def figures(self) -> dict[str, int]:
        return {"request_bytes": round(self.request), "reply_bytes": round(self.reply)}


def traffic(client: Redis, call: Callable[[], object], calls: int = 100) -> Traffic:
    """What the server counts while a call is made so many times."""
    idle, before = _counted(client), _counted(client)  # Asking is traffic too, and as much each time.
    for _ in range(calls):
        call()
    after = _counted(client)
    request, reply = ((2 * b - i, a) for i, b, a in zip(idle, before, after, strict=True))
    return Traffic((request[1] - request[0]) / calls, (reply[1] - reply[0]) / calls)


def _counted(client: Redis) -> tuple[int, int]:
    found: Any = client.info("stats")
    return found["total_net_input_bytes"], found["total_net_output_bytes"]


@dataclass
class Sent:
    """Bytes that were sent in one go, and how many replies were read for them."""

    command: list[bytes]
    replies: int = 0


class Recorded(redis.Connection):
    """A connection that keeps what it sends."""

    def __init__(self, **options: Any) -> None:
        self.sent: list[Sent] = []
        super().__init__(parser_class=Counting, **options)  # type: ignore[no-untyped-call]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.sent.append(Sent(list(command)))
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]


class Counting(_HiredisParser):
    """Counts replies for `Recorded`, as whoever reads takes them."""

    def on_connect(self, connection: Recorded, **options: Any) -> None:
        super().on_connect(connection, **options)  # type: ignore[no-untyped-call]
        self._reader = _Reader(self._reader, connection.sent)  # type: ignore[assignment]


class _Reader:
    def __init__(self, reader: Any, sent: list[Sent]) -> None:
        self._reader = reader
        self._sent = sent

    def gets(self, *arguments: Any) -> Any:
        reply = self._reader.gets(*arguments)
        if self._sent and reply is not NOT_ENOUGH_DATA:
            self._sent[-1].replies += 1
        return reply

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def recorded(settings: Settings, use: Callable[[Redis], object]) -> list[Sent]:
    """What `use` sends through a client that is connected as the platform connects it."""
    with connected(settings) as client:
        client.connection_pool.connection_class = Recorded
        client.ping()
        connection: Any = client.connection_pool.get_connection()
        client.connection_pool.release(connection)  # The pool hands out the last one again.
        connection.sent.clear()
        use(client)
        sent: list[Sent] = connection.sent
        return sent


def send_again(client: Redis, sent: list[Sent]) -> None:
    """Send the same bytes, and read and parse the answers."""
    connection: Any = client.connection_pool.get_connection()
    try:
        for one in sent:
            connection.send_packed_command(one.command)
            answers(connection, one.replies)
    finally:
        client.connection_pool.release(connection)
