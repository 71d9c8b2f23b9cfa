"""What goes over the wire: counted by the server, and recorded to be sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from redis import Redis

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
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.sent.append(Sent(list(command)))
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        if self.sent:
            self.sent[-1].replies += 1
        return super().read_response(*arguments, **options)


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
            for _ in range(one.replies):
                connection.read_response()
    finally:
        client.connection_pool.release(connection)
