"""The real haproxy before two stand-ins: one drained on purpose, the other slow to say that it is well."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bdp_assets.runtime import haproxy, health, ports
from bdp_assets.runtime import home as homes
from bdp_assets.settings import LOOPBACK, Settings
from bdp_assets_tests.integration.running_api import wait_until

pytestmark = pytest.mark.drill
SLOW_S = 1.5
"""More than the second between two checks, which haproxy would give a check without `timeout check`."""


class Replica(ThreadingHTTPServer):
    """Answers calls at once, and health checks after `slow_s`."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.slow_s, self.checks, self.calls = 0.0, 0, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Replica

    def do_GET(self) -> None:
        if self.path == "/health":
            time.sleep(self.server.slow_s)
            self.server.checks += 1
        else:
            self.server.calls += 1
        try:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:  # haproxy had given it up
            return

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    if haproxy.binary() is None:
        assert os.environ.get("CI") != "true", ".ci/run installs haproxy"
        pytest.skip("haproxy is not installed")
    homes.prepare(tmp_path)
    chosen = ports.choose_free(["api_port", "api_replica_port"])
    return Settings(_env_file=None, home=tmp_path, api_replicas=2, **chosen)  # type: ignore[call-arg, arg-type]


@pytest.fixture
def replicas(settings: Settings) -> Iterator[list[Replica]]:
    """Two, with haproxy before them."""
    servers = [Replica(port) for port in settings.api_replica_ports]
    haproxy.prepare(settings, print)
    process = subprocess.Popen(
        haproxy.command(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: health.http_ok(settings.api_port, "/call"))
        yield servers
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # its worker goes with it
            process.kill()
            process.wait()
        for server in servers:
            server.shutdown()
            server.server_close()


def test_the_only_replica_stays_although_its_checks_are_slow(
    settings: Settings, replicas: list[Replica]
) -> None:
    drained, left = replicas
    haproxy.admit(settings, 1, calls=False)
    left.slow_s = SLOW_S
    enough, before = left.checks + 3, drained.calls
    answers = set()
    while left.checks < enough:
        answers.add(health.get(settings.api_port, "/call")[0])
        time.sleep(0.02)
    assert answers == {200}
    assert drained.calls == before, "nobody calls who is drained"
