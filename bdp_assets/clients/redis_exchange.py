"""Commands of one call on one connection: all sent, then all answered.

redis-py's pipelines do the same for more processor time (see ADR 9): they copy each argument, keep statistics
of each call, and translate each reply. Replies here are as they come: bytes, ints, lists, None.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import redis
from hiredis import PushNotification, pack_command
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.exceptions import ConnectionError

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
        replies += answers(connection, len(commands[at : at + BLOCK]))
    return replies


def post(connection: Any, commands: Sequence[Command]) -> None:
    """Send commands whose answers are read later."""
    packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type]
    connection.send_packed_command([packed])


def answers(connection: Any, count: int) -> list[Any]:
    """The next replies, in order; an error is one, too. Raises ConnectionError, TimeoutError.

    Redis-py's parser reads and parses; what redis-py does around it for each reply is done once here.
    """
    parser = connection._parser
    reader = parser._reader
    if reader is None:
        raise ConnectionError("the connection was closed meanwhile")
    replies: list[Any] = []
    try:
        while len(replies) < count:
            reply = reader.gets()
            if reply is NOT_ENOUGH_DATA:
                parser.read_from_socket()
            elif isinstance(reply, ConnectionError):  # A server that starts, or takes no more clients.
                raise reply
            elif isinstance(reply, PushNotification):
                parser.handle_push_response(reply)
            else:
                replies.append(reply)
    except OSError as error:
        raise ConnectionError(f"reading from the socket: {error}") from error
    return replies
