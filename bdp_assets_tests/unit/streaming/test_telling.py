"""Refusals and alerts are told with their traces, alerts with their transactions, a flood in a few lines."""

from __future__ import annotations

import json
import logging

import pytest

from bdp_assets.observability.logging import JsonFormatter
from bdp_assets.streaming.scoring import Scoring
from bdp_assets.streaming.telling import MOST_LINES
from bdp_assets_tests.fakes.decider import FakeDecider
from bdp_assets_tests.fakes.messages import PAN_KEY, body, raw
from bdp_assets_tests.fakes.online_store import FakeStore

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = ("traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01".encode())


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    told = [record for record in caplog.records if record.name == "bdp_assets.streaming.telling"]
    return [json.loads(JsonFormatter("scoring-0").format(record)) for record in told]


def run(caplog: pytest.LogCaptureFixture, *values: bytes) -> list[dict[str, object]]:
    store = FakeStore()
    scoring = Scoring(store, FakeDecider(), lambda: "TOPIC", alerts=store.alerts, pan_key=PAN_KEY)  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO):
        scoring([raw(value, offset, 2, (TRACEPARENT,)) for offset, value in enumerate(values)])
    return lines(caplog)


def test_a_refusal_names_its_place_and_trace_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = run(caplog, body(customer_id="c-secret", amount=-5))
    assert (line["step"], line["error"]) == ("validate", "out_of_range")
    assert (line["partition"], line["offset"], line["trace_id"]) == (2, 0, TRACE_ID)
    assert "secret" not in json.dumps(line)


def test_an_alert_names_its_severity_trace_and_transaction(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = run(caplog, body(customer_id="c-secret", amount=5000))
    assert (line["message"], line["trace_id"]) == ("alert", TRACE_ID)
    assert line["transaction_id"] == "t-1"
    assert line["severity"] in ("medium", "high", "critical")
    assert "secret" not in json.dumps(line)


def test_a_flood_is_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    told = run(caplog, *[b"{"] * (MOST_LINES + 7))
    assert len(told) == MOST_LINES + 1
    assert told[-1]["count"] == 7
