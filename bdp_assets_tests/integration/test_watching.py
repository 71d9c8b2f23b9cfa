"""The operator's screen on a platform of which a half is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, start_http_server

from bdp_assets.clients.kafka import Publisher
from bdp_assets.contracts.topics import LABELS
from bdp_assets.operations.watching.screen import Screen, Watcher
from bdp_assets.runtime import ports
from bdp_assets.settings import LOOPBACK, Settings
from bdp_assets.streaming.groups import LABELS as LABELS_GROUP
from bdp_assets.streaming.groups import metrics_port
from bdp_assets_tests.integration.conftest import Platform, make_settings
from bdp_assets_tests.integration.running_api import wait_until
from bdp_assets_tests.integration.stream import Stream

pytestmark = [pytest.mark.services, pytest.mark.drill]


@pytest.fixture
def settings(platform: Platform, tmp_path: Path) -> Settings:
    """Real Kafka with fresh topics, and programs of the test's own platform; no Dagster, no monitoring."""
    Stream(platform, tmp_path)
    [workers] = ports.choose_free(["workers"]).values()
    return platform.settings.model_copy(update={"stream_metrics_port": workers})


@pytest.fixture
def done(settings: Settings) -> Iterator[Counter]:
    """What a labels worker counts, at its port."""
    registry = CollectorRegistry()
    counter = Counter("bdp_stream_messages_total", "As a worker has it", registry=registry)
    server, thread = start_http_server(metrics_port(settings, "labels", 0), addr=LOOPBACK, registry=registry)
    yield counter
    server.shutdown()
    thread.join()
    server.server_close()


def lag(screen: Screen) -> tuple[str, int | None]:
    [row] = [row for row in screen.topics.rows if row.topic == LABELS.name]
    return row.group, row.lag


def test_what_is_there_is_shown_and_what_is_away_says_so(settings: Settings, done: Counter) -> None:
    watcher = Watcher(settings, every_s=0.2)
    watcher.settle()
    screen = watcher.screen()
    states = {row.name: row.state for row in screen.programs.rows}
    assert [states[name] for name in ("postgres", "redis", "kafka", "labels")] == [
        *["running"] * 3,
        "stopped",
    ]
    assert lag(screen) == (LABELS_GROUP, 0)
    assert "bdp up --monitoring" in screen.alerts.away
    assert "Dagster does not answer" in screen.assets.away
    assert "analytics" in screen.rates.note
    assert screen.rates.away == ""

    publisher = Publisher(settings)
    for number in range(7):
        publisher.send(LABELS.name, key=f"c-{number}".encode(), value=b"{}")
    publisher.flush()
    done.inc(7)
    wait_until(lambda: lag(watcher.screen()) == (LABELS_GROUP, 7))

    def counted() -> bool:
        rates = {row.name: row.per_s for row in watcher.screen().rates.rows}
        return bool(rates["stream: messages done"])

    wait_until(counted)


def test_with_nothing_there_every_section_says_what_to_do(tmp_path: Path) -> None:
    watcher = Watcher(make_settings(tmp_path), every_s=60)
    watcher.settle(patience_s=2)
    screen = watcher.screen()
    assert {row.state for row in screen.programs.rows} == {"stopped"}
    assert screen.topics.away, "Kafka's driver takes its time, and nobody waits for it"
    for section in (screen.rates, screen.latencies, screen.alerts):
        assert "bdp up" in section.away
    assert "Dagster does not answer" in screen.assets.away
