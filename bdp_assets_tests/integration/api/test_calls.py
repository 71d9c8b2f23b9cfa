"""The service as users start it, on the real store and broker: the original's own calls, and bad ones."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Any

import bentoml
import msgspec
import pytest
from bentoml.exceptions import BentoMLException

from bdp_assets.clients import kafka, redis
from bdp_assets.contracts.adjustments import decode_adjustment
from bdp_assets.contracts.codec import decode_prediction, encode, schema_version_header
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.topics import ADJUSTMENTS, RAW
from bdp_assets.contracts.topics import LABELS as LABELS_TOPIC
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.records import transaction_key
from bdp_assets.operations.decision_records.finding import Wanted, find
from bdp_assets.operations.decision_records.replay import Outcome, replay_one
from bdp_assets_tests.fakes.hostile import CANARY, PAN
from bdp_assets_tests.fuzz import run
from bdp_assets_tests.integration.running_api import (
    RunningApi,
    get,
    messages_of,
    post,
    raw_call,
    raw_messages,
    transaction,
    wait_until,
)

pytestmark = pytest.mark.services

PREDICT = """
   curl -X POST http://localhost:5001/api/v1/predict -H "Content-Type: application/json" -d '{"transaction_id": "test-123", "customer_id": "customer-456", "amount": 1500.00, "timestamp": "2024-01-15T10:30:00Z", "merchant_id": "merchant-789"}'
"""  # noqa: E501 - verbatim
PREDICT_BATCH = """
   curl -X POST http://localhost:5001/api/v1/predict/batch -H "Content-Type: application/json" -d '[{"transaction_id": "txn-1", "customer_id": "cust-1", "amount": 100.00, "timestamp": "2024-01-15T10:30:00Z"}, {"transaction_id": "txn-2", "customer_id": "cust-2", "amount": 5000.00, "timestamp": "2024-01-15T10:31:00Z"}]'
"""  # noqa: E501 - verbatim


def test_the_originals_own_calls_are_answered(api: RunningApi) -> None:
    one = api.curl(PREDICT)
    assert one.status_code == 200, one.text
    assert one.json()["transaction_id"] == "test-123"
    assert 0 <= one.json()["fraud_probability"] <= 1
    assert one.json()["degraded"] is False
    batch = api.curl(PREDICT_BATCH)
    assert [item["transaction_id"] for item in batch.json()] == ["txn-1", "txn-2"]
    assert [item["degraded"] for item in batch.json()] == [False, False]


def test_bentomls_own_client_gets_what_plain_http_gets(api: RunningApi) -> None:
    ours = [transaction("client-1"), transaction("client-2", amount=5_000), transaction("")]
    label = {"transaction_id": "client-1", "customer_id": "client-1", "is_fraud": True}
    with bentoml.SyncHTTPClient(api.url) as client:
        assert client.is_ready()
        assert client.request("GET", "/health").json() == get(f"{api.url}/health").json()
        one, batch, labelled = client.predict(ours[0]), client.predict_batch(ours), client.label(label)
        assert client.label_batch([label, {}])[1]["error"]["code"] == "missing_field"
        with pytest.raises(BentoMLException) as refused:
            client.predict(ours[0] | {"amount": 11})
        for what, error in (({"a": 1}, TypeError), ({}, TypeError), ("x", AttributeError)):
            with pytest.raises(error):
                client.predict(what)
        refund = {"adjustment_id": "r", "type": "refund", "customer_id": "c", "original_transaction_id": "t"}
        assert client.adjustment(refund)["adjustment_id"] == "r"
        dry = client.request("POST", "/api/v1/predict?dry_run=true", json=ours[0])
        assert (dry.status_code, client.request("GET", "/nothing").status_code) == (200, 404)
    assert refused.value.error_code == 409
    assert same(one) == same(api.predict("client-1").json())
    plain = post(f"{api.url}/api/v1/predict/batch", json=ours).json()
    assert [same(item) for item in batch] == [same(item) for item in plain]
    assert same(labelled) | {"known_at_ms": 0} == label | dict.fromkeys(("merchant_id", "ts_ms")) | {
        "known_at_ms": 0
    }


def test_bentomls_own_asynchronous_client_gets_it_as_well(api: RunningApi) -> None:
    async def ask() -> Any:
        async with bentoml.AsyncHTTPClient(api.url) as client:
            assert await client.is_ready()
            return await client.predict(transaction("client-3")), await client.predict_batch(
                [transaction("client-3")]
            )

    one, [batched] = asyncio.run(ask())
    assert same(one) == same(batched) == same(api.predict("client-3").json())


@pytest.mark.parametrize("path", ["/health", "/metrics", "/api/v1/model", "/docs", "/openapi.json", "/livez"])
def test_what_there_is_to_see_is_there(api: RunningApi, path: str) -> None:
    assert api.curl(f"curl http://localhost:5001{path}").status_code == 200


def test_the_root_is_ours_and_not_bentomls(api: RunningApi) -> None:
    assert get(api.url).headers["location"] == "/docs"
    assert "bdp_api_requests_total" in get(f"{api.url}/metrics").text
    assert "process_resident_memory_bytes" in get(f"{api.url}/metrics").text
    for path in ("/docs.json", "/static_content/index.css", "/nothing"):
        assert get(api.url + path).json()["error"]["code"] == "not_found"


def test_everything_is_up(api: RunningApi) -> None:
    assert api.dependencies() == {"model": "ok", "online_store": "ok", "kafka": "ok", "spool": "ok"}


def test_the_same_transaction_is_decided_and_sent_once(api: RunningApi) -> None:
    before = kafka.watermarks(api.settings, [RAW.name])
    first, again = api.predict("once"), api.predict("once")
    assert again.json() | {"request_id": ""} == first.json() | {"request_id": ""}
    assert api.predict("once", amount=11).status_code == 409
    messages = raw_messages(api.settings, before, "once", expected=1)
    assert json.loads(messages[0].value or b"")["transaction_id"] == "once"
    assert messages[0].key == b"once"
    assert messages[0].header("schema-version") == b"1"
    assert messages[0].header("request-id") == first.headers["x-request-id"].encode()
    assert messages[0].header("traceparent")


def test_the_next_call_of_a_customer_sees_this_one(api: RunningApi) -> None:
    customer = {"customer_id": "frequent", "timestamp": "2026-01-15T11:00:00Z"}
    earlier = api.predict("visit-1", **customer | {"timestamp": "2026-01-15T10:59:00Z"})
    later = api.predict("visit-2", **customer)
    store = OnlineStore(redis.connect(api.settings))
    features = [
        json.loads(store.decision("frequent", name) or b"")["features"] for name in ("visit-1", "visit-2")
    ]
    assert earlier.status_code == later.status_code == 200
    assert features[0] != features[1]


def test_a_dry_run_leaves_no_trace(api: RunningApi) -> None:
    before = kafka.watermarks(api.settings, [RAW.name])
    fields = {
        "transaction_id": "dry",
        "customer_id": "dry",
        "amount": 10,
        "timestamp": "2026-01-15T10:30:00Z",
    }
    assert post(f"{api.url}/api/v1/predict?dry_run=true", json=fields).status_code == 200
    assert OnlineStore(redis.connect(api.settings)).decision("dry", "dry") is None
    assert api.predict("dry", amount=99).status_code == 200, "nothing had claimed the id"
    raw_messages(api.settings, before, "dry", expected=1)


def test_labels_are_on_their_topic_in_order(api: RunningApi) -> None:
    before = kafka.watermarks(api.settings, [LABELS_TOPIC.name])
    answers = [api.label("paid", "labelled", is_fraud=turn % 2 == 0) for turn in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 5
    messages = messages_of(api.settings, LABELS_TOPIC, before, "labelled", expected=5)
    labels = [decode_label(one.value, received_ms=one.timestamp_ms) for one in messages]
    told = [answer.json() for answer in answers]
    assert [(one.is_fraud, one.known_at_ms) for one in labels] == [
        (one["is_fraud"], one["known_at_ms"]) for one in told
    ]
    name, version = schema_version_header(LABELS_TOPIC)
    assert {one.header(name) for one in messages} == {version}
    assert messages[0].header("request-id") == answers[0].headers["x-request-id"].encode()


def test_a_refund_is_on_its_own_topic_and_never_among_the_transactions(api: RunningApi) -> None:
    before = kafka.watermarks(api.settings, [RAW.name, ADJUSTMENTS.name])
    refund = {"adjustment_id": "r-1", "customer_id": "refunded", "original_transaction_id": "t-1"}
    answer = post(f"{api.url}/api/v1/adjustments", json=refund | {"type": "refund"})
    assert answer.status_code == 202, answer.text
    assert api.predict("refunded", type="refund").json()["error"]["code"] == "not_a_purchase"
    assert api.predict("bought", customer_id="refunded", type="purchase").status_code == 200
    [message] = messages_of(api.settings, ADJUSTMENTS, before, "refunded", expected=1)
    told = decode_adjustment(message.value, received_ms=message.timestamp_ms)
    assert (told.adjustment_id, told.ts_ms) == ("r-1", answer.json()["ts_ms"])
    raw_messages(api.settings, before, "refunded", expected=1)


def test_a_decision_is_what_was_answered_and_is_made_again_to_the_bit(api: RunningApi) -> None:
    answer = api.predict("frozen", amount=950).json()
    record = api.decision("frozen", "frozen")
    assert record.status_code == 200
    told = record.json()
    assert told | answer == told | {name: answer[name] for name in ("model", "request_id")}
    assert api.decision("frozen", "another").status_code == 404
    wanted = Wanted("frozen", "frozen")
    assert find(api.settings, wanted) == (decode_prediction(record.content), "online store")
    [replayed] = replay_one(api.settings, wanted)
    assert (replayed.outcome, replayed.why) == (Outcome.EQUAL, "")


def test_a_record_that_was_tampered_with_is_found_out(api: RunningApi) -> None:
    api.predict("bent", amount=950)
    store = OnlineStore(redis.connect(api.settings))
    record = decode_prediction(store.decision("bent", "bent") or b"")
    bent = msgspec.structs.replace(record, fraud_probability=(record.fraud_probability + 1) / 2)
    key = store.layout.decision("bent", transaction_key("bent"))
    store.client.set(key, encode(bent))
    [replayed] = replay_one(api.settings, Wanted("bent", "bent"))
    assert replayed.outcome is Outcome.DIFFERENT
    assert replayed.why.startswith("fraud_probability")


def test_bad_input_is_neither_answered_with_nor_logged(api: RunningApi) -> None:
    for content in (b"{", PAN.encode(), json.dumps({PAN: PAN}).encode(), b"x" * 1_000_000):
        answer = post(
            f"{api.url}/api/v1/predict?{PAN}", content=content, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500
        assert PAN not in answer.text
    api.predict("bad", merchant_id=PAN)
    get(f"{api.url}/{PAN}")
    for header in (
        "Authorization",
        "X-API-Key",
        "X-Request-Id",
        "Traceparent",
        "User-Agent",
        "X-Forwarded-For",
    ):
        answer = get(f"{api.url}/api/v1/model", headers={header: PAN})
        assert PAN not in answer.text + str(answer.headers)
    for said in (f"GET /{PAN} HTTP/9.9\r\n\r\n", f"{PAN}\r\n\r\n", f"GET / HTTP/1.1\r\n{PAN}\r\n\r\n"):
        assert PAN.encode() not in raw_call(api.settings, said.encode())
    assert PAN not in get(f"{api.url}/metrics").text
    assert PAN not in api.log.read_text()


def test_nothing_that_it_is_called_with_ends_in_a_5xx_or_comes_back(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make fuzz`, bounded: the hostile corpus, then small rounds of each kind."""
    monkeypatch.setattr(run, "ROUND", 50)
    outcome = run.call(api.settings.api_port, 600, 1)
    assert outcome.faults == []
    assert outcome.statuses.keys() == {"2xx", "4xx"}
    said = api.log.read_text()
    assert PAN not in said
    assert CANARY not in said


def test_a_head_is_bounded_and_no_banner_is_shown(api: RunningApi) -> None:
    answer = raw_call(api.settings, b"GET /health HTTP/1.1\r\nX-Long: " + b"a" * 100_000)
    assert answer.startswith(b"HTTP/1.1 431 ")
    for path in ("/health", "/docs", "/livez", "/nothing"):
        assert "server" not in get(f"{api.url}{path}").headers


def test_a_slow_store_costs_one_call_its_time_out_and_then_nobody(api: RunningApi) -> None:
    api.store.send_signal(signal.SIGSTOP)
    try:
        assert api.predict("slow-1").json()["degraded"] is True
        started = time.perf_counter()
        assert api.predict("slow-2").json()["degraded"] is True
        assert api.decision("slow-2", "slow-2").status_code == 503
        assert api.dependencies()["online_store"] == "down"
        assert time.perf_counter() - started < 5, "no call waits for the store again"
    finally:
        api.store.send_signal(signal.SIGCONT)
    wait_until(lambda: api.dependencies()["online_store"] == "ok")
    assert api.predict("slow-3").json()["degraded"] is False


def same(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without its request's id, which is another each time."""
    if "error" in answer:
        return {"error": same(answer["error"])}
    return {name: value for name, value in answer.items() if name != "request_id"}
