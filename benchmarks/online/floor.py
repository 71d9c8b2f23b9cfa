"""The floor: one round trip that writes and reads as many bytes as ours, and does nothing else.

A single script call: it keeps what was sent, and answers what lies there.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis

from bdp_assets.clients.redis_exchange import Command, exchange
from benchmarks.online.wire import Traffic, traffic

_SCRIPT = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[2])"
_SENT, _ANSWER = "bench:sent", "bench:answer"


@dataclass(frozen=True)
class Sizes:
    """Bytes of a call beside those of an empty one."""

    request: int
    reply: int

    def on(self, client: Redis) -> RoundTrip:
        digest = str(client.script_load(_SCRIPT))
        client.set(_ANSWER, bytes(self.reply))
        return RoundTrip(client, ("EVALSHA", digest, 2, _SENT, _ANSWER, bytes(self.request)))


@dataclass(frozen=True)
class RoundTrip:
    """A call of a size."""

    client: Redis
    command: Command

    def call(self) -> None:
        exchange(self.client, [self.command])

    def pipelined(self, calls: int) -> None:
        exchange(self.client, [self.command] * calls)


def as_large_as(client: Redis, wanted: Traffic) -> Sizes:
    """The sizes of a round trip with this traffic."""
    without = traffic(client, Sizes(0, 0).on(client).call)
    request, reply = wanted.request - without.request, wanted.reply - without.reply
    return Sizes(max(0, round(request)), max(0, round(reply)))
