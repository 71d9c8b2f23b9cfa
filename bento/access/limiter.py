"""Limits that all API processes share, in the store; while that is away, each process keeps its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files

from bdp_assets.clients.redis import Redis, Script, StoreUnavailable, run
from bdp_assets.observability.metrics import API_LIMITED_ALONE
from bento.access.bucket import MILLION, Bucket, Taken, take
from bento.dependencies import Dependencies

TAKE = Script(files("bento.access").joinpath("take.lua").read_text())
MOST_CALLERS = 10_000


def key(identity: str) -> str:
    """Where a caller's bucket lies in the store."""
    return f"bdp:limits:{identity}"


def microseconds() -> int:
    return time.monotonic_ns() // 1_000


class Limiter:
    """Takes items from callers' buckets."""

    def __init__(self, client: Redis, dependencies: Dependencies) -> None:
        self._client = client
        self._dependencies = dependencies
        self._alone = LocalLimiter(microseconds)

    def take(self, identity: str, rate: int, wanted: int) -> Taken:
        """One round trip; none while the store is down."""
        if self._dependencies.store != "down":
            try:
                return self._shared(identity, rate, wanted)
            except StoreUnavailable:
                self._dependencies.store_failed()
        API_LIMITED_ALONE.inc()
        return self._alone.take(identity, rate, wanted)

    def _shared(self, identity: str, rate: int, wanted: int) -> Taken:
        [(allowed, stock)] = run(self._client, [TAKE.call([key(identity)], rate, wanted)], [TAKE])
        return Taken(allowed == 1, stock, rate, wanted)


class LocalLimiter:
    """Buckets of this process, the last used last; beyond MOST_CALLERS the first is forgotten."""

    def __init__(self, clock_us: Callable[[], int]) -> None:
        self._clock_us = clock_us
        self._buckets: dict[str, Bucket] = {}

    def take(self, identity: str, rate: int, wanted: int) -> Taken:
        now_us = self._clock_us()
        bucket = self._buckets.pop(identity, Bucket(rate * MILLION, now_us))
        self._buckets[identity], taken = take(bucket, rate, wanted, now_us)
        if len(self._buckets) > MOST_CALLERS:
            del self._buckets[next(iter(self._buckets))]
        return taken
