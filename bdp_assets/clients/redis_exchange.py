"""Commands of one call on one connection: all sent, then all answered.

redis-py's pipelines do the same for more processor time (see ADR 9): they copy each argument, keep statistics
of each call, and translate each reply. Replies here are as they come: bytes, ints, lists, None.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        self.connection: Any = self._pool.get_connection()

    def __enter__(self) -> Any:
        return self.connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.give_back(closes=kind is not None)

    def give_back(self, *, closes: bool) -> None:
        if closes:
            self.connection.disconnect()
        self._pool.release(self.connection)


class Posted:
    """Commands of one call, on their way from the start: `replies` waits for what they answer, or `close`.

    Raises ConnectionError, TimeoutError, from the start on.
    """

    def __init__(self, client: redis.Redis, commands: Sequence[Command]) -> None:
        self._commands = commands
        self._borrowed = Borrowed(client)
        self._is_under_way = False
        self._is_open = True
        self.was_repeated = False
        """Whether commands were sent twice, of which the first ones may have been carried out."""
        try:
            self._post()
        except ConnectionError:  # It fell while nobody used it: `replies` sends them again.
            self._borrowed.connection.disconnect()
        except BaseException:
            self.close()
            raise

    def replies(self) -> list[Any]:
        """In order; an error is the reply of its command. To be asked once.

        A connection that broke is opened again as the client's retry says, and all is done again.
        """
        self._is_open = False
        with self._borrowed as connection:
            found: list[Any] = connection.retry.call_with_retry(self._read, lambda _: connection.disconnect())
            return found

    def close(self) -> None:
        """Nobody waits for the answers, if there are any to come."""
        if self._is_open:
            self._is_open = False
            self._borrowed.give_back(closes=True)

    def _post(self) -> None:
        post(self._borrowed.connection, self._commands[: 2 * BLOCK])
        self._is_under_way = True

    def _read(self) -> list[Any]:
        """The server works on a block while the answers of the one before are read: of a long pipeline it
        would keep all answers until the last."""
        if not self._is_under_way:
            self.was_repeated = True
            self._post()
        self._is_under_way = False
        commands, connection = self._commands, self._borrowed.connection
        replies: list[Any] = []
        for at in range(0, len(commands), BLOCK):
            following = commands[at + BLOCK : at + 2 * BLOCK] if at else ()
            if following:
                post(connection, following)
            replies += answers(connection, len(commands[at : at + BLOCK]))
        return replies


def exchange(client: redis.Redis, commands: Sequence[Command]) -> list[Any]:
    """The replies to commands, as `Posted` has them."""
    return Posted(client, commands).replies() if commands else []


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
