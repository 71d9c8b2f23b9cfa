"""The online store's connection: short time-outs, one immediate reconnect, one error for "it is not there".

The store is one server, or a Redis Cluster where the URL says `?cluster=true` (see `redis_cluster`).

`StoreUnavailable` is what callers handle (score without history, and say so). Any other complaint of Redis is
a defect of ours and stays a `redis.ResponseError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha1
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)
from redis.retry import Retry

from bdp_assets.clients.outage import Outage
from bdp_assets.clients.redis_cluster import Cluster, primaries, send
from bdp_assets.clients.redis_connections import Connections
from bdp_assets.clients.redis_exchange import Argument, Command, Posted, exchange
from bdp_assets.settings import Settings

Redis = redis.Redis | redis.RedisCluster | Cluster

CLUSTER = "cluster"
_DOWN = (ConnectionError, ClusterDownError, MasterDownError, TryAgainError)
_REFUSED = (OutOfMemoryError, ReadOnlyError)
_REFUSING = ("MISCONF", "NOREPLICAS")


class StoreUnavailable(Outage):
    """The online store is down, too slow, or refuses writes. The message says which, and what to do."""

    reason = "store_unavailable"


def connect(settings: Settings) -> Redis:
    """A client for `settings.redis`; connects on first use. Answers are bytes.

    A connection that the server closed is opened again once, at once. A time-out is not tried again: the
    caller's time is spent. Our scripts may run twice without harm.
    """
    seconds = settings.redis_timeout_ms / 1000
    url, is_cluster = _read(settings.redis)
    options = {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    }
    if is_cluster:
        return Cluster(url, **options)
    return redis.Redis.from_pool(Connections.from_url(url, **options))


def _read(url: str) -> tuple[str, bool]:
    """The driver's URL, and whether it names a node of a cluster."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query)
    others = [(name, value) for name, value in query if name != CLUSTER]
    is_cluster = any(name == CLUSTER and value.lower() in ("true", "1", "yes") for name, value in query)
    return urlunsplit(parts._replace(query=urlencode(others))), is_cluster


class _StoreErrors:
    """Turns what Redis raises when it is down, slow or refusing into `StoreUnavailable`.

    A class, since each call comes by: a generator would take some microseconds more.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        outage = None if error is None else _outage(self._client, error)
        if outage is not None:
            raise outage from error


def _outage(client: Redis, error: BaseException) -> StoreUnavailable | None:
    """What callers are told of it; None where it is a defect."""
    if not isinstance(error, RedisError):
        return None
    where = f"the online store at {_where(client)}"
    if isinstance(error, TimeoutError):
        do = "look at its load, or raise BDP_REDIS_TIMEOUT_MS"
        return StoreUnavailable(f"{where} did not answer in time: {do}")
    if isinstance(error, _DOWN):
        if isinstance(client, Cluster):
            client.forget()
        return StoreUnavailable(f"{where} is not reachable: start it (bdp up), or set BDP_REDIS_URL")
    if isinstance(error, _REFUSED) or (isinstance(error, ResponseError) and str(error).startswith(_REFUSING)):
        return StoreUnavailable(f"{where} refuses writes: look at its memory, disk and role")
    return None


class Script:
    """A Lua script, called by its digest."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._sha = sha1(source.encode(), usedforsecurity=False).hexdigest()

    def call(self, keys: Sequence[str], *arguments: Argument) -> Command:
        return ("EVALSHA", self._sha, len(keys), *keys, *arguments)

    def whole_call(self, keys: Sequence[str], *arguments: Argument) -> Command:
        """With its source: a server that does not know it yet still runs it before what comes after."""
        return ("EVAL", self.source, len(keys), *keys, *arguments)


class Sent:
    """Commands on their way, in one round trip (of a cluster: one a shard, which begins with `replies`).

    Where a server does not know a script yet, `scripts` are loaded and those calls are sent again, after the
    others. To be asked for `replies`, or closed. Raises `StoreUnavailable`.
    """

    def __init__(self, client: Redis, commands: Sequence[Command], scripts: Sequence[Script] = ()) -> None:
        self._client = client
        self._commands = commands
        self._scripts = scripts
        self._posted: Posted | None = None
        if commands and isinstance(client, redis.Redis):
            with _StoreErrors(client):
                self._posted = Posted(client, commands)

    def replies(self) -> list[Any]:
        """In order; to be asked once. Raises `redis.ResponseError` for a defect, too."""
        client, commands = self._client, self._commands
        with _StoreErrors(client):
            replies = _send(client, commands) if self._posted is None else self._posted.replies()
            unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if unknown:
                for server in _servers(client):
                    _send(server, [("SCRIPT", "LOAD", script.source) for script in self._scripts])
                for i, reply in zip(unknown, _send(client, [commands[i] for i in unknown]), strict=True):
                    replies[i] = reply
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            return replies

    @property
    def was_repeated(self) -> bool:
        """Whether a connection broke, and the replies are those of a second time."""
        return self._posted is not None and self._posted.was_repeated

    def close(self) -> None:
        """Nobody waits for the replies, if there are any to come."""
        if self._posted is not None:
            self._posted.close()


def run(client: Redis, commands: Sequence[Command], scripts: Sequence[Script] = ()) -> list[Any]:
    """The replies to commands that are waited for at once; arguments and errors as of `Sent`."""
    return Sent(client, commands, scripts).replies()


def scan(client: Redis, pattern: str) -> Iterator[list[bytes]]:
    """Keys of a pattern, some at a time; a key may come twice. Raises `StoreUnavailable`."""
    with _StoreErrors(client):
        servers = _servers(client)
    for server in servers:
        cursor, started = 0, False
        while cursor or not started:
            started = True
            reply, keys = run(server, [("SCAN", cursor, "MATCH", pattern, "COUNT", 1_000)])[0]
            cursor = int(reply)
            if keys:
                yield keys


def lasting_keys(client: Redis) -> int:
    """Keys that no time-out ends, in all servers. Raises `StoreUnavailable`."""
    with _StoreErrors(client):
        spaces = [space for server in _servers(client) for space in server.info("keyspace").values()]
    return sum(space["keys"] - space["expires"] for space in spaces)


def memory(client: Redis) -> tuple[int, int]:
    """Bytes that all servers use, and may use (0: no limit). Raises `StoreUnavailable`."""
    with _StoreErrors(client):
        told = [server.info("memory") for server in _servers(client)]
    return sum(one["used_memory"] for one in told), sum(one["maxmemory"] for one in told)


def describe(client: Redis) -> str:
    """Name and version of the server, for people. Raises `StoreUnavailable`."""
    with _StoreErrors(client):
        servers = _servers(client)
        information = servers[0].info("server")
    number = information.get("valkey_version") or information["redis_version"]
    shards = f", {len(servers)} shards" if len(servers) > 1 else ""
    return f"{information.get('server_name', 'redis')} {number}{shards}"


def is_one_server(client: Redis) -> bool:
    """Whether all keys lie together, so that a script may have any of them; not in a cluster."""
    return isinstance(client, redis.Redis)


def _servers(client: Redis) -> list[redis.Redis]:
    if isinstance(client, redis.Redis):
        return [client]
    return primaries(client.open() if isinstance(client, Cluster) else client)


def _send(client: Redis, commands: Sequence[Command]) -> list[Any]:
    if not isinstance(client, redis.Redis):
        return send(client.open() if isinstance(client, Cluster) else client, commands)
    return exchange(client, commands)


def _where(client: Redis) -> str:
    if isinstance(client, Cluster):
        return urlsplit(client.url).netloc.rpartition("@")[2]
    if isinstance(client, redis.RedisCluster):
        return str(client.get_default_node().name)  # type: ignore[no-untyped-call]
    place = client.connection_pool.connection_kwargs
    return str(place.get("path") or f"{place.get('host')}:{place.get('port')}")
