"""Connections of one server that threads take in turn, for less processor time than redis-py's pool asks.

That looks at each taking whether the connection still stands and whether the process was forked. A connection
that fell is noticed by the first command on it, which is sent again (see `redis.connect`).
"""

from __future__ import annotations

from collections import deque
from typing import Any

import redis


class Connections(redis.ConnectionPool):
    """Not for processes that fork while they have connections."""

    def reset(self) -> None:
        self._idle: deque[Any] = deque()
        super().reset()

    def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """One that was given back last, or a new one. Raises ConnectionError, TimeoutError."""
        try:
            return self._idle.pop()  # Two threads never get the same: a deque sees to it.
        except IndexError:
            return super().get_connection(*arguments, **options)

    def release(self, connection: Any) -> None:
        """The pool keeps counting it as in use: so it is closed with the others."""
        self._idle.append(connection)
