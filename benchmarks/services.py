"""Services of a bench's own: the platform's embedded ones, in a folder and on ports for this run alone."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from redis import Redis

from bdp_assets.clients.redis import connect
from bdp_assets.runtime import orphans, platform, ports
from bdp_assets.settings import Settings

_PREFIX = "bdp-bench-"
_TIMEOUT_MS = 10_000  # A time-out on a busy machine would end the bench; what is slow shows in the figures.


@contextmanager
def own_services(*names: str) -> Iterator[Settings]:
    """Settings that reach them. They are stopped at the end: of the block, or of a process told to stop.

    `names` as in `runtime.services`. What a killed run left behind is ended and removed by the next one.
    """
    _remove_leftovers()
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    home.chmod(0o755)  # PostgreSQL does not run as root
    free = ports.choose_free(("redis", "kafka", "controller", "postgres"))
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None,
        home=home,
        redis_url=None,
        redis_port=free["redis"],
        redis_timeout_ms=_TIMEOUT_MS,
        postgres_url=None,
        postgres_port=free["postgres"],
        kafka_bootstrap=None,
        kafka_port=free["kafka"],
        kafka_controller_port=free["controller"],
    )
    with _stopped_by_exit():
        try:
            platform.up(settings, names)
            yield settings
        finally:
            platform.down(settings)
            shutil.rmtree(home, ignore_errors=True)


def connected(settings: Settings) -> Redis:
    """As the platform connects; the bench's server is one node."""
    client = connect(settings)
    assert isinstance(client, Redis)  # noqa: S101 - no cluster is asked for
    return client


@contextmanager
def _stopped_by_exit() -> Iterator[None]:
    """SIGTERM unwinds the stack meanwhile, as Ctrl+C does, so that `finally` is reached."""

    def leave(number: int, _frame: Any) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _remove_leftovers() -> None:
    for home in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = int(home.name.removeprefix(_PREFIX).split("-")[0])
        if not psutil.pid_exists(owner) and home.stat().st_uid == os.geteuid():
            orphans.end(orphans.find(home), patience_s=3)
            shutil.rmtree(home, ignore_errors=True)
