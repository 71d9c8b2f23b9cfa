"""Clients with connections that stay open, each with one call under way, in a process of their own.

They do as little as can be done: the machine is shared with the server.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from http import HTTPStatus
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bdp_assets.operations.load.http_connection import NO_STATUS, HttpConnection, post
from bdp_assets.operations.traffic_api import PREDICT
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK
from benchmarks.bench import Figures

BATCH = f"{PREDICT}/batch"


class _RefusedError(Exception):
    """What a server did instead of answering."""


class Answered(NamedTuple):
    """Seconds of each call, float64 [n], and of all of them."""

    each: NDArray[np.float64]
    total_s: float

    def figures(self) -> Figures:
        p50, p99, p999 = np.percentile(self.each, (50, 99, 99.9)) * 1_000
        return {
            "p50_ms": round(float(p50), 3),
            "p99_ms": round(float(p99), 3),
            "p999_ms": round(float(p999), 3),
            "max_ms": round(float(self.each.max()) * 1_000, 2),
            "per_s": round(len(self.each) / self.total_s),
        }


class _Calls(NamedTuple):
    path: str
    headers: Mapping[str, str]
    bodies: Sequence[bytes]


def together(rounds: Sequence[Answered]) -> Answered:
    return Answered(np.concatenate([one.each for one in rounds]), sum(one.total_s for one in rounds))


class Clients:
    """A process that calls, with these headers each time; `close` it."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def call(self, port: int, bodies: Sequence[bytes], connections: int, path: str = PREDICT) -> Answered:
        """Every body once. Raises Problem where an answer is not 200."""
        try:
            return self._pool.submit(_called, port, _Calls(path, self._headers, bodies), connections).result()
        except _RefusedError as error:
            raise Problem(f"A server of the bench {error}.", "The bench is at fault.") from error

    def close(self) -> None:
        self._pool.shutdown()


def _called(port: int, calls: _Calls, connections: int) -> Answered:
    requests = [post(LOOPBACK, calls.path, body, calls.headers) for body in calls.bodies]
    gc.collect()
    gc.disable()
    try:
        return asyncio.run(_all(port, requests, connections))
    finally:
        gc.enable()


async def _all(port: int, requests: Sequence[bytes], connections: int) -> Answered:
    todo, taken, times = iter(requests), iter(range(len(requests))), np.empty(len(requests))
    clients = [_Client(port, todo, taken, times) for _ in range(connections)]
    for client in clients:
        await client.connect()
    began = time.perf_counter()
    for client in clients:
        client.next()
    await asyncio.gather(*(client.done for client in clients))
    return Answered(times, time.perf_counter() - began)


class _Client:
    """Sends the next request when the answer is whole; a call pays for a new connection, if it needs one."""

    def __init__(
        self, port: int, todo: Iterator[bytes], taken: Iterator[int], times: NDArray[np.float64]
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connection = HttpConnection(LOOPBACK, port, self._answered)
        self._todo, self._taken, self._times = todo, taken, times
        self._sent = 0.0

    async def connect(self) -> None:
        await self._connection.open()

    def next(self) -> None:
        request = next(self._todo, None)
        if request is None:
            self._connection.close()
            self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._connection.ask(request)

    def _answered(self, _: HttpConnection, status: int, _body: bytes) -> None:
        self._times[next(self._taken)] = time.perf_counter() - self._sent
        if status != HTTPStatus.OK:
            how = "hung up" if status == NO_STATUS else f"answered {status}"
            self.done.set_exception(_RefusedError(how))
            return
        self.next()
