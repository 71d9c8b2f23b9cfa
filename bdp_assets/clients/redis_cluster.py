"""A Redis Cluster: the commands of one call go to their shards in one pipelined round trip each, all at once.

Every shard has its commands before the first answer is read. Slots that move are followed (MOVED, ASK).
redis-py's own cluster pipeline would try again by itself what fails, for longer than our callers wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import redis
from redis.cluster import ClusterNode
from redis.exceptions import AskError, ConnectionError, MovedError, RedisClusterException

from bdp_assets.clients.redis_exchange import Borrowed, Command, answers, post

_ASKING: Command = ("ASKING",)
REDIRECTIONS = 5
"""How often a command is sent on while slots move, before its error is the answer."""


class Cluster:
    """Knows one node's URL; finds the others on first use, and again after one was not reachable."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self._options = options
        self._opened: redis.RedisCluster | None = None

    def open(self) -> redis.RedisCluster:
        """redis-py's client. Raises ConnectionError where no node answers."""
        if self._opened is None:
            try:
                self._opened = redis.RedisCluster.from_url(self.url, **self._options)
            except RedisClusterException as error:
                raise ConnectionError(str(error)) from error
        return self._opened

    def forget(self) -> None:
        """Find the nodes anew next time."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def send(cluster: redis.RedisCluster, commands: Sequence[Command]) -> list[Any]:
    """As `exchange`."""
    replies: list[Any] = [None] * len(commands)
    waiting: list[int] = list(range(len(commands)))
    for _ in range(REDIRECTIONS):
        _exchange(cluster, commands, waiting, replies)
        waiting = [i for i in waiting if isinstance(replies[i], AskError)]  # a MovedError is one, too
        if not waiting:
            break
        _note(cluster, [replies[i] for i in waiting])
    return replies


def primaries(cluster: redis.RedisCluster) -> list[redis.Redis]:
    """A client for each shard."""
    return [_client(cluster, node) for node in cluster.get_primaries()]  # type: ignore[no-untyped-call]


def key_of(command: Command) -> str | bytes:
    """What decides the shard; all keys of a script lie in one slot."""
    key = command[3] if command[0] in ("EVALSHA", "EVAL") else command[1]
    return key if isinstance(key, (str, bytes)) else str(key)


def _note(cluster: redis.RedisCluster, redirections: Iterable[AskError]) -> None:
    for error in redirections:
        if isinstance(error, MovedError):
            cluster.nodes_manager.move_slot(error)


def _exchange(
    cluster: redis.RedisCluster, commands: Sequence[Command], wanted: Sequence[int], replies: list[Any]
) -> None:
    with ExitStack() as stack:
        shards = []
        for node, numbers in _by_node(cluster, commands, wanted, replies).items():
            connection = stack.enter_context(Borrowed(_client(cluster, node)))
            parts: list[Command] = []
            for i in numbers:
                parts += [_ASKING, commands[i]] if _is_asked(replies[i]) else [commands[i]]
            post(connection, parts)
            shards.append((connection, numbers, len(parts)))
        for connection, numbers, count in shards:
            arrived = iter(answers(connection, count))
            for i in numbers:
                if _is_asked(replies[i]):
                    next(arrived)  # To ASKING.
                replies[i] = next(arrived)


def _by_node(
    cluster: redis.RedisCluster, commands: Sequence[Command], wanted: Sequence[int], replies: Sequence[Any]
) -> dict[ClusterNode, list[int]]:
    """Where each command goes; one that was told to ask another node goes there, once."""
    found: dict[ClusterNode, list[int]] = {}
    for i in wanted:
        if _is_asked(replies[i]):
            node = _named(cluster, replies[i])
        else:
            slot: int = cluster.keyslot(key_of(commands[i]))  # type: ignore[no-untyped-call]
            node = cluster.nodes_manager.get_node_from_slot(slot)
        found.setdefault(node, []).append(i)
    return found


def _named(cluster: redis.RedisCluster, error: AskError) -> ClusterNode:
    known: ClusterNode | None = cluster.get_node(host=error.host, port=error.port)  # type: ignore[no-untyped-call]
    return known or ClusterNode(error.host, error.port)  # type: ignore[no-untyped-call]


def _is_asked(reply: object) -> bool:
    return isinstance(reply, AskError) and not isinstance(reply, MovedError)


def _client(cluster: redis.RedisCluster, node: ClusterNode) -> redis.Redis:
    client: redis.Redis = cluster.get_redis_connection(node)
    return client
