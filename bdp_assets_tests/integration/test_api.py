"""The service as users start it, on the real store and broker: the original's own calls, and bad days."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bentoml
import msgspec
import psutil
import pytest
from bentoml.exceptions import BentoMLException

from bdp_assets.clients import kafka, redis
from bdp_assets.contracts.adjustments import decode_adjustment
from bdp_assets.contracts.codec import decode_prediction, encode, schema_version_header
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.topics import ADJUSTMENTS, RAW
from bdp_assets.contracts.topics import LABELS as LABELS_TOPIC
from bdp_assets.decisions.carried import carried
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.records import transaction_key
from bdp_assets.operations.decision_records.finding import Wanted, find
from bdp_assets.operations.decision_records.replay import Outcome, replay_one
from bdp_assets.runtime import valkey
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.hostile import CANARY, PAN
from bdp_assets_tests.fakes.messages import PAN_KEY
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.fuzz import run
from bdp_assets_tests.integration.conftest import Platform, free_ports
from bdp_assets_tests.integration.running_api import (
    PROJECT,
    RunningApi,
    fill,
    get,
    lives,
    messages_of,
    post,
    raw_call,
    raw_messages,
    running,
    serving,
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


@pytest.fixture(scope="module")
def settings(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    own = {
        **free_ports(),
        "kafka_bootstrap": platform.kafka,
        "home": tmp_path_factory.mktemp("api"),
        "api_auth": "open",  # the default beside a broker of one's own is `required`
    }
    settings = Settings(_env_file=None, **own)  # type: ignore[call-arg, arg-type]
    topics = (RAW, LABELS_TOPIC, ADJUSTMENTS)
    kafka.ensure_topics(settings, [kafka.TopicSpec(one.name, one.partitions) for one in topics])
    return settings


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    (settings.home / "redis").mkdir()
    with running(valkey.command(settings), settings, settings.home / "valkey.log") as process:
        wait_until(lambda: valkey.healthy(settings))
        fill(settings)
        yield process


@pytest.fixture(scope="module")
def api(settings: Settings, store: subprocess.Popen[bytes]) -> Iterator[RunningApi]:
    settings.models_dir.mkdir()
    (settings.models_dir / "champion").symlink_to(tiny_bundle(settings.models_dir / "1"))
    with serving(settings) as (url, log):
        yield RunningApi(settings, url, log, store)


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


def test_without_model_store_and_broker_it_lives_and_says_what_to_do(tmp_path: Path) -> None:
    ports = free_ports()
    settings = Settings(_env_file=None, home=tmp_path, **ports)  # type: ignore[call-arg, arg-type]
    with serving(settings) as (url, log):
        health = get(f"{url}/health")
        assert health.status_code == 503
        assert health.json()["alive"] is True
        away = {"model": "missing", "online_store": "down", "kafka": "down"}
        assert health.json()["dependencies"] == away | {"spool": "ok"}
        body = {"transaction_id": "a", "customer_id": "a", "amount": 1, "timestamp": "2026-01-15T10:30:00Z"}
        refused = post(f"{url}/api/v1/predict", json=body)
        assert refused.status_code == 503
        assert "bdp train" in refused.json()["error"]["message"]
        assert get(f"{url}/readyz").status_code == 503
    assert "no model to serve" in log.read_text()


def test_what_a_process_left_that_does_not_come_back_is_sent_by_another(
    settings: Settings, store: subprocess.Popen[bytes], api: RunningApi, tmp_path: Path
) -> None:
    """Two processes of one home; Kafka is away for the one that ends."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(settings.models_dir)
    kept = {"home": home, "redis_port": settings.redis_port}
    stays = settings.model_copy(update={**free_ports(), **kept, "kafka_bootstrap": settings.kafka_bootstrap})
    goes = settings.model_copy(update={**free_ports(), **kept, "kafka_bootstrap": "127.0.0.1:1"})
    before = kafka.watermarks(settings, [RAW.name])
    with serving(stays):
        with serving(goes) as (url, log):
            caller = RunningApi(goes, url, log, store)
            answers = [caller.predict(f"left-{number}", customer_id="left").json() for number in range(5)]
        messages = raw_messages(settings, before, "left", expected=len(answers))
    decisions = [carried(message, PAN_KEY) for message in messages]
    assert [one and decode_prediction(one).fraud_probability for one in decisions] == [
        answer["fraud_probability"] for answer in answers
    ]


def test_what_was_answered_outlives_a_kill_and_reaches_the_stream(
    settings: Settings, store: subprocess.Popen[bytes], api: RunningApi, tmp_path: Path
) -> None:
    """Answered while Kafka was away, killed under load, started again when Kafka is back."""
    home, own = tmp_path / "home", free_ports()
    home.mkdir()
    (home / "models").symlink_to(settings.models_dir)
    kept = {"home": home, "redis_port": settings.redis_port}
    away = settings.model_copy(update={**own, **kept, "kafka_bootstrap": "127.0.0.1:1"})
    before = kafka.watermarks(settings, [RAW.name, LABELS_TOPIC.name])
    with serving(away) as (url, log):
        caller = RunningApi(away, url, log, store)
        assert caller.dependencies()["kafka"] == "down"
        answers = [caller.predict(f"kept-{number}", customer_id="kept").json() for number in range(20)]
        labelled = [caller.label(f"kept-{number}", "kept").json() for number in range(20)]
        with ThreadPoolExecutor(4) as threads:
            calls = [
                threads.submit(caller.predict, f"late-{number}", customer_id="kept") for number in range(400)
            ]
            time.sleep(0.2)
            kill(url, away)
        late = [call.result().json() for call in calls if call.exception() is None]
    back = away.model_copy(update={"kafka_bootstrap": settings.kafka_bootstrap})
    with serving(back):
        answered = answers + [answer for answer in late if "decision" in answer]
        # Some were written down, and killed before their answer was heard.
        messages = raw_messages(settings, before, "kept", expected=len(answered), or_more=True)
        labels = messages_of(settings, LABELS_TOPIC, before, "kept", expected=len(labelled))
    known = [decode_label(one.value, received_ms=one.timestamp_ms).transaction_id for one in labels]
    assert known == [one["transaction_id"] for one in labelled]
    decided = {}
    for message in messages:
        decision = carried(message, PAN_KEY)
        identity = json.loads(message.value or b"")["transaction_id"]
        assert identity not in decided, "nothing was under way, so nothing comes twice"
        decided[identity] = None if decision is None else decode_prediction(decision)
    assert len(answered) >= 20
    for answer in answered:
        record = decided[answer["transaction_id"]]
        assert record is not None
        assert (record.fraud_probability, record.decision) == (
            answer["fraud_probability"],
            answer["decision"],
        )


def test_with_keys_required_it_follows_the_key_file(
    settings: Settings, store: subprocess.Popen[bytes], api: RunningApi, tmp_path: Path
) -> None:
    """Refused without a file, answered once there is a key, refused again when that is revoked."""
    (tmp_path / "models").symlink_to(settings.models_dir)
    own = {**free_ports(), "home": tmp_path, "redis_port": settings.redis_port, "api_auth": "required"}
    with serving(settings.model_copy(update=own)) as (url, log):
        assert get(f"{url}/api/v1/model").status_code == 401
        assert [get(url + path).status_code for path in ("/health", "/livez", "/metrics")] == [200] * 3
        key = bdp(tmp_path, "keys", "create", "shop", "--scope", "predict")
        headers = {"Authorization": f"Bearer {key}"}
        wait_until(lambda: get(f"{url}/api/v1/model", headers=headers).status_code == 200)
        (tmp_path / "keys.json").write_text("{")
        wait_until(lambda: "bdp_api_keys_unreadable_info 1.0" in get(f"{url}/metrics").text)
        assert get(f"{url}/api/v1/model", headers=headers).status_code == 200
        (tmp_path / "keys.json").unlink()
        bdp(tmp_path, "keys", "create", "other", "--scope", "predict")
        wait_until(lambda: get(f"{url}/api/v1/model", headers=headers).status_code == 401)
    assert "calls need a key" in log.read_text()
    assert key not in log.read_text()


def test_in_the_local_profile_it_is_open_on_loopback_only(tmp_path: Path) -> None:
    """There it is: without a model it answered 503 above."""
    settings = Settings(_env_file=None, home=tmp_path, **free_ports())  # type: ignore[call-arg, arg-type]
    with serving(settings, "0.0.0.0") as (url, _):  # noqa: S104
        assert get(f"{url}/api/v1/model").status_code == 401


def same(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without its request's id, which is another each time."""
    if "error" in answer:
        return {"error": same(answer["error"])}
    return {name: value for name, value in answer.items() if name != "request_id"}


def kill(url: str, settings: Settings) -> None:
    """End the service as a crash would."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        if "bento.service:FraudService" in (process.info["cmdline"] or []) and str(
            settings.api_port
        ) in " ".join(process.info["cmdline"]):
            for one in (*process.children(recursive=True), process):
                one.kill()
    wait_until(lambda: not lives(url))


def bdp(home: Path, *words: str) -> str:
    """What a command says."""
    command = [sys.executable, "-m", "bdp_assets.cli.main", *words]
    environment = {**os.environ, "BDP_HOME": str(home)}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
