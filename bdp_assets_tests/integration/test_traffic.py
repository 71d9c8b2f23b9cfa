"""Traffic on the real topic: what the journal says is what is there, each record once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.clients.kafka import KafkaRefused, Message, ensure_topics, read_range, watermarks
from bdp_assets.contracts.codec import SCHEMA_VERSION_HEADER
from bdp_assets.contracts.headers import TRACEPARENT
from bdp_assets.contracts.topics import RAW
from bdp_assets.operations.topics import specs
from bdp_assets.operations.traffic import TrafficReport, play
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.operations.traffic_sources import simulated
from bdp_assets.settings import Settings
from bdp_assets.simulator.world import World
from bdp_assets_tests.integration.conftest import Platform

pytestmark = pytest.mark.services
START_MS = 1_772_330_000_000


@pytest.fixture
def settings(platform: Platform, tmp_path: Path) -> Settings:
    """The platform's services, a folder of our own with a world in it, and the topics."""
    ours = platform.settings.model_copy(update={"home": tmp_path})
    World(seed=5, customers=60, merchants=50).history(date(2026, 3, 1), 1).write(tmp_path / "history")
    ensure_topics(ours, specs())
    _wait_for_leaders(ours)
    return ours


def _wait_for_leaders(settings: Settings) -> None:
    """New topics have none for a moment: seconds on a busy machine."""
    deadline = time.monotonic() + 30
    while True:
        try:
            watermarks(settings, [RAW.name])
        except KafkaRefused:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            return


def _traffic(settings: Settings) -> Iterator[Outgoing]:
    return simulated(settings, start_ms=START_MS, per_second=400, bad_share=0.1)


def _messages(settings: Settings, report: TrafficReport) -> list[Message]:
    return [
        message
        for partition, (start, end) in report.offsets.items()
        for message in read_range(settings, RAW.name, partition, start, end)
    ]


def _journal(report: TrafficReport) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.journal.read_text().splitlines()]


def test_every_record_is_on_the_topic_once_and_in_the_journal(settings: Settings) -> None:
    told: list[int] = []
    report = play(settings, _traffic(settings), rate=400, seconds=2, progress=told.append)
    sent = [*zip(range(800), _traffic(settings), strict=False)]
    messages = _messages(settings, report)
    assert sorted(message.value or b"" for message in messages) == sorted(r.value for _, r in sent)
    assert all(message.key is not None for message in messages)
    traces = {message.header(TRACEPARENT) for message in messages}
    assert len(traces) == len(messages)
    assert {message.header(SCHEMA_VERSION_HEADER) for message in messages} == {b"1"}
    written = [(line["transaction_id"], line["kind"], line["door"]) for line in _journal(report)]
    assert sorted(written) == sorted((r.transaction_id, r.kind, "kafka") for _, r in sent)
    assert (report.sent, sum(report.kinds.values()), told[-1]) == (800, 800, 800)
    assert report.bad == sum(r.is_bad for _, r in sent) > 0


def test_a_customers_records_keep_their_order(settings: Settings) -> None:
    report = play(settings, _traffic(settings), rate=2_000, seconds=0.2)
    customer_of: dict[bytes, set[int]] = {}
    orders: dict[bytes, list[bytes]] = {}
    for message in _messages(settings, report):
        customer_of.setdefault(message.key or b"", set()).add(message.partition)
        orders.setdefault(message.key or b"", []).append(message.value or b"")
    assert all(len(partitions) == 1 for partitions in customer_of.values())
    for _, record in zip(range(400), _traffic(settings), strict=False):
        assert orders[record.customer_id.encode()].pop(0) == record.value


def test_part_of_the_good_records_goes_through_the_api(settings: Settings) -> None:
    with _fake_api(settings.api_port) as bodies:
        report = play(settings, _traffic(settings), rate=400, seconds=1, api_share=0.25)
    by_api = [line for line in _journal(report) if line["door"] == "api"]
    good = report.sent - report.bad
    assert len(by_api) == len(bodies) == int(good * 0.25)
    assert sorted(line["transaction_id"] for line in by_api) == sorted(b["transaction_id"] for b in bodies)
    assert report.answers == {200: len(bodies)}
    assert len(_messages(settings, report)) == report.sent - len(bodies)


def test_an_api_that_is_away_is_counted_and_not_journalled(settings: Settings) -> None:
    report = play(settings, _traffic(settings), rate=400, seconds=0.5, api_share=0.5)
    assert list(report.answers) == [0]
    assert len(_journal(report)) == report.sent == 200 - report.answers[0]


def test_a_missing_topic_is_said_before_anything_is_sent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = type("Absent", (), {"name": "not-there"})
    monkeypatch.setattr("bdp_assets.operations.traffic.RAW", absent)
    with pytest.raises(KafkaRefused, match="has no topic not-there"):
        play(settings, _traffic(settings), rate=10, seconds=1)


@contextmanager
def _fake_api(port: int) -> Iterator[list[dict[str, Any]]]:
    """Answers 200 to every prediction; yields the bodies that it got."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            assert self.path == "/api/v1/predict"
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
