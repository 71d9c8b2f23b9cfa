"""Starts servers of the Redis protocol for tests, on free loopback ports; they end with the block."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from bdp_assets.runtime import ports

SLOTS = 16_384
SHARDS = 3
PATIENCE_S = 60.0


@contextmanager
def single(binary: str, home: Path) -> Iterator[str]:
    """One server; its URL."""
    (port,) = _ports(1)
    with _running(binary, port, home):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def cluster(binary: str, home: Path) -> Iterator[str]:
    """Three shards without replicas; the URL of one."""
    free = _ports(2 * SHARDS)
    own, buses = free[:SHARDS], free[SHARDS:]
    with ExitStack() as stack:
        for port, bus in zip(own, buses, strict=True):
            folder = home / str(port)
            folder.mkdir()
            options = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
            stack.enter_context(_running(binary, port, folder, *options))
        nodes = [redis.Redis(port=port) for port in own]
        for number, node in enumerate(nodes):
            first, last = SLOTS * number // SHARDS, SLOTS * (number + 1) // SHARDS - 1
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.execute_command("CLUSTER", "MEET", "127.0.0.1", own[0], buses[0])
        for node in nodes:
            _until(lambda node=node: _is_whole(node))  # type: ignore[misc]
        yield f"redis://127.0.0.1:{own[0]}/0?cluster=true"


@contextmanager
def _running(binary: str, port: int, home: Path, *more: str) -> Iterator[None]:
    options = {"port": port, "bind": "127.0.0.1", "dir": home, "save": "", "appendonly": "no"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen([binary, *words, *more], stdout=log, stderr=log)
    try:
        _until(lambda: _answers(port))
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _ports(number: int) -> list[int]:
    candidates = random.sample(range(20_000, 32_000), 200)
    return [port for port in candidates if ports.is_free(port)][:number]


def _answers(port: int) -> bool:
    try:
        return bool(redis.Redis(port=port).ping())
    except redis.ConnectionError:
        return False


def _is_whole(node: redis.Redis) -> bool:
    told = node.execute_command("CLUSTER INFO")
    return (told["cluster_state"], told["cluster_known_nodes"]) == ("ok", str(SHARDS))


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
