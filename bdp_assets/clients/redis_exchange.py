"""Commands of one call on one connection: all sent, then all answered.

redis-py's pipelines do the same for more processor time (see ADR 9): they copy each argument, keep statistics
of each call, and translate each reply. Replies here are as they come: bytes, ints, lists, None.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import redis
from hiredis import pack_command
from redis.exceptions import ResponseError

BLOCK = 128
"""How many commands are sent on when as many have been answered; twice as many are under way."""

Argument = str | bytes | int
Command = tuple[Argument, ...]


class Borrowed:
    """A connection of a server's pool; one in an unknown state is closed before it goes back."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._connection: Any = self._pool.get_connection()

    def __enter__(self) -> Any:
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._connection.disconnect()
        self._pool.release(self._connection)


def exchange(client: redis.Redis, commands: Sequence[Command]) -> list[Any]:
    """Replies in order; an error is the reply of its command.

    A connection that broke is opened again as the client's retry says, and all is done again. Raises
    ConnectionError, TimeoutError.
    """
    if not commands:
        return []
    with Borrowed(client) as connection:
        replies: list[Any] = connection.retry.call_with_retry(
            partial(_attempt, connection, commands), lambda _: connection.disconnect()
        )
        return replies


def _attempt(connection: Any, commands: Sequence[Command]) -> list[Any]:
    """The server works on a block while the answers of the one before are read: of a long pipeline it would
    keep all answers until the last."""
    post(connection, commands[: 2 * BLOCK])
    replies: list[Any] = []
    for at in range(0, len(commands), BLOCK):
        following = commands[at + BLOCK : at + 2 * BLOCK] if at else ()
        if following:
            post(connection, following)
        replies += [answer(connection) for _ in commands[at : at + BLOCK]]
    return replies


def post(connection: Any, commands: Sequence[Command]) -> None:
    """Send commands whose answers are read later."""
    packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type]
    connection.send_packed_command([packed])


def answer(connection: Any) -> Any:
    """The next reply; an error is one, too."""
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
