"""A card number and a canary wherever a caller can put them: in no log, body, header, metric or trace."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bdp_assets.contracts.headers import may_go_on
from bdp_assets.contracts.topics import RAW
from bdp_assets.observability.logging import JsonFormatter
from bdp_assets_tests.fakes.spans import Told, told_spans
from bdp_assets_tests.unit.bento.access.test_access import issue
from bdp_assets_tests.unit.bento.conftest import Client, body
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic
from bento.access.access import Access
from bento.access.keyring import Keyring
from bento.access.limiter import LocalLimiter
from bento.access.scopes import Scope
from bento.service import FraudService, api
from bento.serving import Serving

PAN = "4111111111111111"
CANARIES = (PAN, "4111 1111 1111 1111", "4111-1111-1111-1111", "c4n4ry")
ESCAPED = {canary: "".join(f"\\u{ord(char):04x}" for char in canary) for canary in CANARIES}
SAID = (*CANARIES, "4111%20", "c4n4ry".upper())
FIRST_DIGITS = re.compile(r"(?<![0-9a-f.])411111")
"""What must not be found: the number's spellings, its first digits, the canary. Within drawn ids and measured
times, six digits stand by chance."""
SINGLE, BATCH, MODEL = "/api/v1/predict", "/api/v1/predict/batch", "/api/v1/model"
FIELDS = tuple(json.loads(RAW.schema_path.read_bytes())["properties"])
LABEL = {"transaction_id": "t", "customer_id": "c", "is_fraud": True, "merchant_id": "m", "unknown": "u"}
REFUND = {"adjustment_id": "r", "type": "refund", "customer_id": "c", "original_transaction_id": "t"}
NOTICES = {"/api/v1/labels": LABEL, "/api/v1/adjustments": REFUND}
HEADERS = (
    *(
        "Accept",
        "Authorization",
        "Baggage",
        "Content-Encoding",
        "Content-Type",
        "Cookie",
        "Expect",
        "Forwarded",
    ),
    *("Host", "Origin", "Referer", "Traceparent", "Tracestate", "User-Agent", "X-API-Key", "X-B3-TraceId"),
    *("X-Canary", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id", "Content-Length", "If-None-Match"),
)


@pytest.fixture(autouse=True)
def traces() -> Iterator[Told]:
    """Ours, of all calls: what is told of them holds none of it either."""
    with told_spans(share=1.0) as told:
        yield told


class Whole(NamedTuple):
    """The service as `bentoml serve` builds it, with BentoML's own layers, and what it tells of traces."""

    app: Any
    spans: InMemorySpanExporter


@pytest.fixture(scope="module")
def whole() -> Whole:
    exporter = InMemorySpanExporter()
    app = FraudService.to_asgi()
    [tracing] = [one for one in app.app.user_middleware if one.cls.__name__ == "OpenTelemetryMiddleware"]
    tracing.kwargs["tracer_provider"].add_span_processor(SimpleSpanProcessor(exporter))
    return Whole(app, exporter)


@pytest.fixture
def key(tmp_path: Path) -> str:
    return issue(tmp_path / "keys.json", "shop", Scope.PREDICT, rate_per_s=1_000)


@pytest.fixture(params=["open", "required"])
def access(request: pytest.FixtureRequest, tmp_path: Path, key: str) -> Access:
    keyring = Keyring(tmp_path / "keys.json")
    keyring.look()
    return Access(keyring if request.param == "required" else None, LocalLimiter(lambda: 0), 1_000)


class Witness:
    """Asks, and looks for the canaries in all that can be seen afterwards."""

    def __init__(self, whole: Whole, ours: Told, key: str, log: pytest.LogCaptureFixture) -> None:
        self._client, self._spans, self._key, self._log = Client(whole.app), whole.spans, key, log
        self._ours = ours
        log.set_level(logging.DEBUG)

    def ask(self, method: str, path: str, content: bytes = b"", **headers: str) -> None:
        sent = {"X-API-Key": self._key, "Content-Type": "application/json", **headers}
        answer = self._client.request(method, path, content=content, headers=sent)
        assert answer.status_code < 500
        self.look(answer.text, "body")
        self.look(str(answer.headers.raw), "headers")

    def look(self, text: str, where: str) -> None:
        for said in SAID:
            assert said not in text, where
        assert FIRST_DIGITS.search(text) is None, where

    def look_around(self) -> None:
        """What httpx, the caller here, logs of its own requests is no log of the service."""
        ours = [record for record in self._log.records if not record.name.startswith(("httpx", "httpcore"))]
        self.look("\n".join(JsonFormatter("api").format(record) for record in ours), "log")
        self.look(self._client.get("/metrics").text, "metrics")
        told = self._ours()
        assert told
        self.look("\n".join(span.to_json() for span in (*self._spans.get_finished_spans(), *told)), "traces")


def escaped(content: bytes, canary: str) -> bytes:
    return content.replace(canary.encode(), ESCAPED[canary].encode())


@pytest.fixture
def witness(
    whole: Whole, serving: Serving, traces: Told, key: str, caplog: pytest.LogCaptureFixture
) -> Witness:
    api.attach(serving)
    return Witness(whole, traces, key, caplog)


@pytest.mark.parametrize("canary", CANARIES)
def test_in_a_field(witness: Witness, canary: str) -> None:
    """A plain canary is a good merchant or device: a call that is answered says nothing of it either."""
    for field in FIELDS:
        number = -int(canary) if canary.isdigit() else canary
        for value in (canary, f"x-{canary}", {canary: canary}, [canary], number):
            if field == "transaction_id" and value in ("c4n4ry", "x-c4n4ry"):
                continue  # A good id comes back: it names what was decided.
            content = body(1, **{field: value})
            for one in (content, escaped(content, canary)):
                witness.ask("POST", SINGLE, one)
                witness.ask("POST", BATCH, b"[" + one + b"]")
    # The name of an unknown field is told where it is a plain one: `contracts/refusal.py` decides that.
    for content in (body(1, **{f"{canary}!": 1}), canary.encode(), b'{"a":' + canary.encode()):
        witness.ask("POST", SINGLE, content)
        witness.ask("POST", BATCH, content)
    witness.look_around()


@pytest.mark.parametrize("canary", [PAN, "4111 1111 1111 1111", "4111-1111-1111-1111"])
def test_in_a_notice(witness: Witness, raw_topic: FakeRawTopic, canary: str) -> None:
    """None is taken. A plain canary would be: an id of a notice comes back, and lies in its topic."""
    for path, notice in NOTICES.items():
        for field in notice:
            content = json.dumps({**notice, field: f"x-{canary}"}).encode()
            for one in (content, escaped(content, canary)):
                witness.ask("POST", path, one)
                witness.ask("POST", f"{path}/batch", b"[" + one + b"]")
    assert raw_topic.messages == []
    witness.look_around()


@pytest.mark.parametrize("canary", CANARIES)
def test_in_a_header(witness: Witness, canary: str) -> None:
    for header in HEADERS:
        if (header, canary) == ("X-Request-Id", "c4n4ry"):
            continue  # A well-formed id comes back on purpose.
        witness.ask("POST", SINGLE, body(1), **{header: canary})
        witness.ask("GET", MODEL, **{header: f"Bearer {canary}"})
    witness.ask("GET", MODEL, **{f"X-{canary.replace(' ', '-')}": "1"})
    witness.look_around()


@pytest.mark.parametrize("flag", ["00", "01"])
def test_in_the_ids_of_a_trace(witness: Witness, raw_topic: FakeRawTopic, flag: str) -> None:
    for ids in (
        f"{'a' * 16}{PAN}-{'b' * 16}",
        f"{'a' * 32}-{PAN}",
        f"{'a' * 24}{PAN[:8]}-{PAN[8:]}{'b' * 8}",
    ):
        for path, content in ((SINGLE, body(1)), (BATCH, b"[" + body(2) + b"]")):
            witness.ask("POST", path, content, traceparent=f"00-{ids}-{flag}")
    assert raw_topic.messages
    for message in raw_topic.messages:
        said = dict(message.came.arrival.headers)["traceparent"].decode()
        assert may_go_on(said)
        assert "a" * 16 not in said
    witness.look_around()


@pytest.mark.parametrize("canary", CANARIES)
def test_in_a_query_or_a_path(witness: Witness, canary: str) -> None:
    for path in (SINGLE, BATCH, MODEL, "/health", "/docs", "/openapi.json", "/nothing"):
        for query in (canary, f"dry_run={canary}", f"{canary}={canary}", f"dry_run=true&key={canary}"):
            witness.ask("POST", f"{path}?{query}", body(1))
            witness.ask("GET", f"{path}?{query}")
    for path in (f"/{canary}", f"{SINGLE}/{canary}", f"/docs/static/{canary}", f"/api/v1/{canary}/x"):
        for method in ("GET", "POST", "DELETE"):
            witness.ask(method, path)
    witness.look_around()


@pytest.mark.parametrize("canary", CANARIES)
def test_in_a_key(witness: Witness, key: str, canary: str) -> None:
    for presented in (canary, f"bdp_{canary}_{'0' * 64}", f"{key[:-16]}{canary}", f"Bearer {canary}"):
        witness.ask("GET", MODEL, **{"X-API-Key": presented})
        witness.ask("GET", MODEL, **{"X-API-Key": "", "Authorization": f"Bearer {presented}"})
    witness.look_around()
