"""The online store's connection: short time-outs, one immediate reconnect, one error for "it is not there".

`StoreUnavailable` is what callers handle (score without history, and say so). Any other complaint of Redis is
a defect of ours and stays a `redis.ResponseError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)
from redis.retry import Retry

from bdp_assets.settings import Settings

Redis = redis.Redis
Argument = str | bytes | int
Command = tuple[Argument, ...]

_DOWN = (ConnectionError, ClusterDownError, MasterDownError, TryAgainError)
_REFUSING = ("MISCONF", "NOREPLICAS")


class StoreUnavailable(Exception):  # noqa: N818 - a state of the world, not a defect
    """The online store is down, too slow, or refuses writes. The message says which, and what to do."""


def connect(settings: Settings) -> redis.Redis:
    """A client for `settings.redis`; connects on first use. Answers are bytes.

    A connection that the server closed is opened again once, at once. A time-out is not tried again: the
    caller's time is spent. Our scripts may run twice without harm.
    """
    seconds = settings.redis_timeout_ms / 1000
    return redis.Redis.from_url(
        settings.redis,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    )


@contextmanager
def store_errors(client: redis.Redis) -> Iterator[None]:
    """Turn what Redis raises when it is down, slow or refusing into `StoreUnavailable`."""
    where = _where(client)
    try:
        yield
    except TimeoutError as error:
        do = "look at its load, or raise BDP_REDIS_TIMEOUT_MS"
        raise StoreUnavailable(f"the online store at {where} did not answer in time: {do}") from error
    except _DOWN as error:
        do = "start it (bdp up), or set BDP_REDIS_URL"
        raise StoreUnavailable(f"the online store at {where} is not reachable: {do}") from error
    except ResponseError as error:
        if not isinstance(error, (OutOfMemoryError, ReadOnlyError)) and not str(error).startswith(_REFUSING):
            raise
        do = "look at its memory, disk and role"
        raise StoreUnavailable(f"the online store at {where} refuses writes: {do}") from error


class Script:
    """A Lua script, called by its digest."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._sha = sha1(source.encode(), usedforsecurity=False).hexdigest()

    def call(self, keys: Sequence[str], *arguments: Argument) -> Command:
        return ("EVALSHA", self._sha, len(keys), *keys, *arguments)


def run(client: redis.Redis, commands: Sequence[Command], scripts: Sequence[Script] = ()) -> list[Any]:
    """Send all commands in one round trip, in order; the replies, in order.

    Where the server does not know a script yet, `scripts` are loaded and those calls are sent again. Raises
    `StoreUnavailable`, or `redis.ResponseError` for a defect.
    """
    with store_errors(client):
        replies = _send(client, commands)
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            _send(client, [("SCRIPT", "LOAD", script.source) for script in scripts])
            for i, reply in zip(unknown, _send(client, [commands[i] for i in unknown]), strict=True):
                replies[i] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies


def scan(client: redis.Redis, pattern: str) -> Iterator[list[bytes]]:
    """Keys of a pattern, some at a time; a key may come twice. Raises `StoreUnavailable`."""
    cursor, started = 0, False
    while cursor or not started:
        started = True
        reply, keys = run(client, [("SCAN", cursor, "MATCH", pattern, "COUNT", 1_000)])[0]
        cursor = int(reply)
        if keys:
            yield keys


def _send(client: redis.Redis, commands: Sequence[Command]) -> list[Any]:
    if len(commands) == 1:
        return [_single(client, commands[0])]
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
    return pipeline.execute(raise_on_error=False)


def _single(client: redis.Redis, command: Command) -> Any:
    try:
        return client.execute_command(*command)  # type: ignore[no-untyped-call]
    except NoScriptError as error:
        return error


def _where(client: redis.Redis) -> str:
    place = client.connection_pool.connection_kwargs
    return str(place.get("path") or f"{place.get('host')}:{place.get('port')}")
