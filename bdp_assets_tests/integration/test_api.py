"""The service as users start it, on the real store and broker: the original's own calls, and bad days."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import msgspec
import polars as pl
import psutil
import pytest

from bdp_assets.clients import kafka, redis
from bdp_assets.contracts.adjustments import decode_adjustment
from bdp_assets.contracts.codec import decode_prediction, encode, schema_version_header
from bdp_assets.contracts.columns import LABELS, VALIDATED
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.topics import ADJUSTMENTS, RAW, Topic
from bdp_assets.contracts.topics import LABELS as LABELS_TOPIC
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.decisions.carried import carried
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.records import transaction_key
from bdp_assets.operations.decision_records.finding import Wanted, find
from bdp_assets.operations.decision_records.replay import Outcome, replay_one
from bdp_assets.runtime import valkey
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import PAN_KEY
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform, free_ports

pytestmark = pytest.mark.services
PROJECT = Path(__file__).parents[2]
PAN = "4111111111111111"

PREDICT = """
   curl -X POST http://localhost:5001/api/v1/predict -H "Content-Type: application/json" -d '{"transaction_id": "test-123", "customer_id": "customer-456", "amount": 1500.00, "timestamp": "2024-01-15T10:30:00Z", "merchant_id": "merchant-789"}'
"""  # noqa: E501 - verbatim
PREDICT_BATCH = """
   curl -X POST http://localhost:5001/api/v1/predict/batch -H "Content-Type: application/json" -d '[{"transaction_id": "txn-1", "customer_id": "cust-1", "amount": 100.00, "timestamp": "2024-01-15T10:30:00Z"}, {"transaction_id": "txn-2", "customer_id": "cust-2", "amount": 5000.00, "timestamp": "2024-01-15T10:31:00Z"}]'
"""  # noqa: E501 - verbatim


@dataclass
class RunningApi:
    """The service in its own process, with a store of its own that tests may stop."""

    settings: Settings
    url: str
    log: Path
    store: subprocess.Popen[bytes]

    def curl(self, command: str) -> httpx.Response:
        """Do what a curl command line says, against this service."""
        words = iter(shlex.split(command)[1:])
        method, url, headers, body = "GET", "", {}, None
        for word in words:
            if word == "-X":
                method = next(words)
            elif word == "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            elif word == "-d":
                body = next(words)
            else:
                url = word.replace("http://localhost:5001", self.url)
        return httpx.request(method, url, headers=headers, content=body)

    def predict(self, name: str, **changes: Any) -> httpx.Response:
        fields = {
            "transaction_id": name,
            "customer_id": name,
            "amount": 10,
            "timestamp": "2026-01-15T10:30:00Z",
        }
        return httpx.post(f"{self.url}/api/v1/predict", json=fields | changes)

    def label(self, name: str, customer: str, *, is_fraud: bool = True) -> httpx.Response:
        fields = {"transaction_id": name, "customer_id": customer, "is_fraud": is_fraud}
        return httpx.post(f"{self.url}/api/v1/labels", json=fields)

    def decision(self, name: str, customer: str) -> httpx.Response:
        return httpx.get(f"{self.url}/api/v1/decisions/{name}", params={"customer_id": customer})

    def dependencies(self) -> dict[str, str]:
        states: dict[str, str] = httpx.get(f"{self.url}/health").json()["dependencies"]
        return states


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


@pytest.mark.parametrize("path", ["/health", "/metrics", "/api/v1/model", "/docs", "/openapi.json", "/livez"])
def test_what_there_is_to_see_is_there(api: RunningApi, path: str) -> None:
    assert api.curl(f"curl http://localhost:5001{path}").status_code == 200


def test_the_root_is_ours_and_not_bentomls(api: RunningApi) -> None:
    assert httpx.get(api.url).headers["location"] == "/docs"
    assert "bdp_api_requests_total" in httpx.get(f"{api.url}/metrics").text
    assert "process_resident_memory_bytes" in httpx.get(f"{api.url}/metrics").text
    for path in ("/docs.json", "/static_content/index.css", "/nothing"):
        assert httpx.get(api.url + path).json()["error"]["code"] == "not_found"


def test_everything_is_up(api: RunningApi) -> None:
    assert api.dependencies() == {"model": "ok", "online_store": "ok", "kafka": "ok"}


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
    assert httpx.post(f"{api.url}/api/v1/predict?dry_run=true", json=fields).status_code == 200
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
    answer = httpx.post(f"{api.url}/api/v1/adjustments", json=refund | {"type": "refund"})
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
        answer = httpx.post(
            f"{api.url}/api/v1/predict?{PAN}", content=content, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500
        assert PAN not in answer.text
    api.predict("bad", merchant_id=PAN)
    httpx.get(f"{api.url}/{PAN}")
    for header in (
        "Authorization",
        "X-API-Key",
        "X-Request-Id",
        "Traceparent",
        "User-Agent",
        "X-Forwarded-For",
    ):
        answer = httpx.get(f"{api.url}/api/v1/model", headers={header: PAN})
        assert PAN not in answer.text + str(answer.headers)
    for said in (f"GET /{PAN} HTTP/9.9\r\n\r\n", f"{PAN}\r\n\r\n", f"GET / HTTP/1.1\r\n{PAN}\r\n\r\n"):
        assert PAN.encode() not in raw_call(api.settings, said.encode())
    assert PAN not in httpx.get(f"{api.url}/metrics").text
    assert PAN not in api.log.read_text()


def test_a_head_is_bounded_and_no_banner_is_shown(api: RunningApi) -> None:
    answer = raw_call(api.settings, b"GET /health HTTP/1.1\r\nX-Long: " + b"a" * 100_000)
    assert answer.startswith(b"HTTP/1.1 431 ")
    for path in ("/health", "/docs", "/livez", "/nothing"):
        assert "server" not in httpx.get(f"{api.url}{path}").headers


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


def test_an_emptied_store_is_not_taken_for_history(api: RunningApi) -> None:
    redis.connect(api.settings).flushall()
    wait_until(lambda: api.dependencies()["online_store"] == "empty")
    assert api.predict("emptied").json()["degraded"] is True
    fill(api.settings)
    wait_until(lambda: api.dependencies()["online_store"] == "ok")


def test_without_model_store_and_broker_it_lives_and_says_what_to_do(tmp_path: Path) -> None:
    ports = free_ports()
    settings = Settings(_env_file=None, home=tmp_path, **ports)  # type: ignore[call-arg, arg-type]
    with serving(settings) as (url, log):
        health = httpx.get(f"{url}/health")
        assert health.status_code == 503
        assert health.json()["alive"] is True
        assert health.json()["dependencies"] == {"model": "missing", "online_store": "down", "kafka": "down"}
        body = {"transaction_id": "a", "customer_id": "a", "amount": 1, "timestamp": "2026-01-15T10:30:00Z"}
        refused = httpx.post(f"{url}/api/v1/predict", json=body)
        assert refused.status_code == 503
        assert "bdp train" in refused.json()["error"]["message"]
        assert httpx.get(f"{url}/readyz").status_code == 503
    assert "no model to serve" in log.read_text()


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
        assert httpx.get(f"{url}/api/v1/model").status_code == 401
        assert [httpx.get(url + path).status_code for path in ("/health", "/livez", "/metrics")] == [200] * 3
        key = bdp(tmp_path, "keys", "create", "shop", "--scope", "predict")
        headers = {"Authorization": f"Bearer {key}"}
        wait_until(lambda: httpx.get(f"{url}/api/v1/model", headers=headers).status_code == 200)
        (tmp_path / "keys.json").write_text("{")
        wait_until(lambda: "bdp_api_keys_unreadable_info 1.0" in httpx.get(f"{url}/metrics").text)
        assert httpx.get(f"{url}/api/v1/model", headers=headers).status_code == 200
        (tmp_path / "keys.json").unlink()
        bdp(tmp_path, "keys", "create", "other", "--scope", "predict")
        wait_until(lambda: httpx.get(f"{url}/api/v1/model", headers=headers).status_code == 401)
    assert "calls need a key" in log.read_text()
    assert key not in log.read_text()


def test_in_the_local_profile_it_is_open_on_loopback_only(tmp_path: Path) -> None:
    for host, status in (("127.0.0.1", 503), ("0.0.0.0", 401)):  # noqa: S104
        settings = Settings(_env_file=None, home=tmp_path, **free_ports())  # type: ignore[call-arg, arg-type]
        with serving(settings, host) as (url, _):
            assert httpx.get(f"{url}/api/v1/model").status_code == status


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


class running:  # noqa: N801 - reads as a verb
    """A child process that ends with the block: politely first."""

    def __init__(self, command: list[str], settings: Settings, log: Path) -> None:
        ports = {
            f"BDP_{name.upper()}": str(value)
            for name, value in settings.model_dump(exclude_none=True).items()
            if name.endswith(("_port", "bootstrap", "api_auth"))
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
        bento = {"BENTOML_HOME": str(settings.home / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
        key = {"BDP_PAN_HASH_KEY": PAN_KEY.decode()}
        environment = {**clean, **ports, **bento, **key, "BDP_HOME": str(settings.home)}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=environment, cwd=settings.home, stdout=output, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class serving(running):  # noqa: N801
    """The API as its users start it; the block begins when it lives."""

    def __init__(self, settings: Settings, host: str = "127.0.0.1") -> None:
        self.url, self.log = f"http://127.0.0.1:{settings.api_port}", settings.home / "api.log"
        address = ("--port", str(settings.api_port), "--host", host, "--working-dir", str(PROJECT))
        command = [sys.executable, "-m", "bentoml", "serve", "bento.service:FraudService", *address]
        super().__init__(command, settings, self.log)

    def __enter__(self) -> Any:
        wait_until(lambda: lives(self.url) or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        return self.url, self.log


def fill(settings: Settings) -> None:
    """Rebuild the store from a history of one transaction."""
    fields = {"transaction_id": "h", "customer_id": "h", "amount": 1, "timestamp": "2026-01-01T00:00:00Z"}
    history = decode_transaction(json.dumps(fields).encode(), received_ms=1_800_000_000_000)
    row = {**msgspec.structs.asdict(history), "event_date": date(2026, 1, 1)}
    store = OnlineStore(redis.connect(settings))
    store.rebuild(pl.DataFrame([row], schema=VALIDATED), pl.DataFrame(schema=LABELS))


def raw_call(settings: Settings, said: bytes) -> bytes:
    """What the service answers to bytes that no client would send, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", settings.api_port)) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def lives(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez").status_code == 200
    except httpx.TransportError:
        return False


def wait_until(condition: Callable[[], bool], patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def raw_messages(
    settings: Settings,
    before: dict[tuple[str, int], tuple[int, int]],
    customer: str,
    expected: int,
    *,
    or_more: bool = False,
) -> list[kafka.Message]:
    return messages_of(settings, RAW, before, customer, expected, or_more=or_more)


def messages_of(
    settings: Settings,
    topic: Topic,
    before: dict[tuple[str, int], tuple[int, int]],
    customer: str,
    expected: int,
    *,
    or_more: bool = False,
) -> list[kafka.Message]:
    """A customer's messages on a topic since `before`; waits for them, and a second for more."""
    found: list[kafka.Message] = []

    def read() -> bool:
        found.clear()
        for (name, partition), (_, end) in kafka.watermarks(settings, [topic.name]).items():
            start = before[name, partition][1]
            messages = kafka.read_range(settings, name, partition, start, end)
            found.extend(message for message in messages if message.key == customer.encode())
        return len(found) >= expected

    wait_until(read)
    time.sleep(1)
    read()
    assert len(found) == expected or (or_more and len(found) > expected)
    return found
