"""Clients with connections that stay open, each with one call under way, in a process of their own.

They do as little as can be done: the machine is shared with the server.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK
from benchmarks.bench import Figures

PREDICT = "/api/v1/predict"
BATCH = f"{PREDICT}/batch"
_END = b"\r\n\r\n"
_LENGTH, _CLOSES = b"content-length:", b"connection: close"


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


def together(rounds: Sequence[Answered]) -> Answered:
    return Answered(np.concatenate([one.each for one in rounds]), sum(one.total_s for one in rounds))


class Clients:
    """A process that calls; `close` it."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def call(self, port: int, bodies: Sequence[bytes], connections: int, path: str = PREDICT) -> Answered:
        """Every body once. Raises Problem where an answer is not 200."""
        try:
            return self._pool.submit(_called, port, bodies, connections, path).result()
        except _RefusedError as error:
            raise Problem(f"A server of the bench {error}.", "The bench is at fault.") from error

    def close(self) -> None:
        self._pool.shutdown()


def _called(port: int, bodies: Sequence[bytes], connections: int, path: str) -> Answered:
    requests = [_request(path, body) for body in bodies]
    gc.collect()
    gc.disable()
    try:
        return asyncio.run(_all(port, requests, connections))
    finally:
        gc.enable()


def _request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


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


class _Client(asyncio.Protocol):
    """Sends the next request when the answer is whole; connects anew where the server closes."""

    def __init__(
        self, port: int, todo: Iterator[bytes], taken: Iterator[int], times: NDArray[np.float64]
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._port, self._todo, self._taken, self._times = port, todo, taken, times
        self._received = b""
        self._sent = 0.0
        self._again: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, LOOPBACK, self._port)
        self._transport = transport

    async def _connect_again(self) -> None:
        self._sent = time.perf_counter()  # A call pays for its connection.
        await self.connect()
        self._ask()

    def next(self) -> None:
        request = next(self._todo, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._request = request
        if self._transport.is_closing():
            self._again = asyncio.ensure_future(self._connect_again())
        else:
            self._sent = time.perf_counter()
            self._ask()

    def _ask(self) -> None:
        self._received = b""
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(_END)
        head = self._received[:end].lower()
        if end < 0 or len(self._received) < end + len(_END) + _length(head):
            return
        self._times[next(self._taken)] = time.perf_counter() - self._sent
        if head[9:12] != b"200":
            self.done.set_exception(_RefusedError(f"answered {head[9:12].decode()}"))
            return
        if _CLOSES in head:
            self._transport.close()
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._again is None and not self.done.done():
            self.done.set_exception(_RefusedError("hung up"))


def _length(head: bytes) -> int:
    at = head.find(_LENGTH) + len(_LENGTH)
    return int(head[at:].split(b"\r\n", 1)[0])
