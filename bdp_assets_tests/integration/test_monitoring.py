"""Real Prometheus and Alertmanager beside the platform: a worker stops, and somebody is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from pydantic import SecretStr

from bdp_assets.operations.exporter import SYSTEMS
from bdp_assets.operations.watching import alarms
from bdp_assets.runtime import monitoring, ports
from bdp_assets.runtime import platform as runtime
from bdp_assets.runtime.health import json_answer
from bdp_assets.settings import LOOPBACK, Settings
from bdp_assets.streaming.groups import METRICS_PORTS, metrics_port
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.running_api import wait_until
from bdp_assets_tests.integration.watching import NAMED, hurry, require_programs

pytestmark = [pytest.mark.services, pytest.mark.drill]


class Receiver(ThreadingHTTPServer):
    """Keeps what Alertmanager sends."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.got: list[dict[str, Any]] = []

    def told(self, alert: str, status: str) -> list[dict[str, Any]]:
        """Messages about that alert."""
        return [m for m in self.got if m["status"] == status and m["groupLabels"]["alertname"] == alert]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def watched(platform: Platform, receiver: Receiver) -> Iterator[Settings]:
    """The platform's real systems, and who watches them."""
    require_programs()
    [workers] = ports.choose_free(["workers"]).values()
    settings = platform.settings.model_copy(
        update={
            **ports.choose_free(NAMED),
            "monitoring": True,
            "stream_metrics_port": workers,
            "alert_webhook": SecretStr(f"http://{LOOPBACK}:{receiver.server_port}/secret"),
        }
    )
    try:
        runtime.up(settings, monitoring.NAMES)
        yield settings
    finally:
        runtime.down(settings, monitoring.NAMES)


class StandIn:
    """Shows metrics where a process of ours would."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.start()

    def start(self) -> None:
        registry = CollectorRegistry()
        Gauge("bdp_stream_lag_messages", "As a worker has it", registry=registry).set(0)
        self._server, self._thread = start_http_server(self._port, addr=LOOPBACK, registry=registry)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def health(settings: Settings) -> dict[str, str]:
    found = json_answer(settings.prometheus_port, "/api/v1/targets")
    return {one["labels"]["program"]: one["health"] for one in found["data"]["activeTargets"]}


def watched_while_it_runs(settings: Settings, kind: str, slot: int) -> None:
    """A further worker is a target from its start until it ends, and Prometheus need not be told."""
    name, port = f"{kind}-{slot}", metrics_port(settings, kind, slot)
    stand_in = StandIn(port)
    try:
        with monitoring.announced(settings, kind, slot):
            wait_until(lambda: health(settings).get(name) == "up")
        wait_until(lambda: name not in health(settings))
    finally:
        stand_in.stop()


def value(settings: Settings, query: str) -> float | None:
    result = json_answer(settings.prometheus_port, f"/api/v1/query?query={query}")["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def test_a_worker_stops_and_somebody_is_told_once_and_when_it_is_over(
    watched: Settings, receiver: Receiver
) -> None:
    workers = {name: StandIn(watched.worker_metrics_port + at) for name, at in METRICS_PORTS.items()}
    others = [StandIn(watched.api_port)]
    try:
        hurry(watched)
        expected = {one["labels"]["program"] for job in monitoring.targets(watched).values() for one in job}
        assert expected >= {"labels", "analytics", *monitoring.NAMES}
        wait_until(lambda: health(watched) == dict.fromkeys(expected, "up"))
        assert monitoring.folder(watched).joinpath("alertmanager.yml").stat().st_mode & 0o077 == 0
        for system in SYSTEMS:
            assert value(watched, f'bdp_platform_system_up_info{{system="{system}"}}') == 1
        assert (value(watched, "bdp_store_memory_bytes") or 0) > 0
        watched_while_it_runs(watched, "scoring", 1)
        assert not receiver.told("WorkerDown", "firing")

        workers["analytics"].stop()
        workers["labels"].stop()
        wait_until(lambda: any(len(m["alerts"]) == 2 for m in receiver.told("WorkerDown", "firing")))
        assert {(one.name, one.severity) for one in alarms.read(watched)} >= {("WorkerDown", "critical")}
        message = receiver.told("WorkerDown", "firing")[-1]
        assert message["receiver"] == "platform-critical"
        assert {alert["labels"]["program"] for alert in message["alerts"]} == {"analytics", "labels"}
        assert {alert["annotations"]["runbook"] for alert in message["alerts"]} == {
            "docs/runbook.md#workerdown"
        }

        workers["analytics"].start()
        workers["labels"].start()
        wait_until(lambda: bool(receiver.told("WorkerDown", "resolved")))
    finally:
        for stand_in in (*workers.values(), *others):
            stand_in.stop()
