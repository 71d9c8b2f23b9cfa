"""The floor: one round trip that writes and reads as many bytes as ours, and does nothing else.

A single script call: it keeps what was sent, and answers what lies there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from bdp_assets.clients.redis_cluster import Command
from benchmarks.online.wire import Traffic, traffic

_SCRIPT = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[2])"
_SENT, _ANSWER = "bench:sent", "bench:answer"


@dataclass(frozen=True)
class RoundTrip:
    """A call of a size."""

    client: Any
    command: Command

    def call(self) -> None:
        self.client.execute_command(*self.command)

    def pipelined(self, calls: int) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for _ in range(calls):
            pipeline.execute_command(*self.command)
        pipeline.execute()


def as_large_as(client: Redis, wanted: Traffic) -> RoundTrip:
    """A round trip with this traffic."""
    bare = _round_trip(client, 0, 0)
    without = traffic(client, bare.call)
    request, reply = wanted.request - without.request, wanted.reply - without.reply
    return _round_trip(client, max(0, round(request)), max(0, round(reply)))


def _round_trip(client: Redis, request: int, reply: int) -> RoundTrip:
    digest = str(client.script_load(_SCRIPT))
    client.set(_ANSWER, bytes(reply))
    return RoundTrip(client, ("EVALSHA", digest, 2, _SENT, _ANSWER, bytes(request)))
