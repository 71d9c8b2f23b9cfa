from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.routing import Route

import bento
from bdp_assets.decisions.catalog import RULES
from bdp_assets_tests.unit.bento.conftest import Client, body, transaction
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore
from bento.app import Api
from bento.serving import Serving
from bento.spool.spool import Spool

LABEL = b'{"transaction_id": "transaction-1", "customer_id": "customer-1", "is_fraud": true}'

POSTED = [
    route.path for route in Api().routes if isinstance(route, Route) and "POST" in (route.methods or ())
]


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def valid(document: dict[str, Any], schema: dict[str, Any], instance: Any) -> None:
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(instance)


def answer_schema(document: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    answer = document["paths"][path][method]["responses"][str(status)]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


def test_an_answer_says_what_was_decided_by_which_model(client: Client) -> None:
    answer = client.post(body(1))
    assert answer.status_code == 200
    assert answer.json() | {"fraud_probability": 0, "reasons": []} == {
        "transaction_id": "transaction-1",
        "fraud_probability": 0,
        "decision": answer.json()["decision"],
        "reasons": [],
        "model": {"name": "fraud_ensemble", "version": answer.json()["model"]["version"]},
        "policy_version": answer.json()["policy_version"],
        "rules_version": RULES.version,
        "catalog_version": answer.json()["catalog_version"],
        "list_hits": [],
        "decision_without_lists": None,
        "degraded": False,
        "request_id": answer.headers["x-request-id"],
    }
    assert 0 <= answer.json()["fraud_probability"] <= 1
    assert answer.json()["reasons"]


def test_the_same_transaction_gets_the_same_answer_and_another_body_a_409(client: Client) -> None:
    first = client.post(body(1), **{"X-Request-Id": "one"})
    again = client.post(body(1), **{"X-Request-Id": "one"})
    assert again.content == first.content
    refused = client.post(body(1, amount=1))
    assert refused.status_code == 409
    assert refused.json()["error"]["field"] == "transaction_id"


def test_a_batch_has_a_result_or_an_error_for_each_item_in_order(client: Client) -> None:
    items = [transaction(1), transaction(2, amount=-1), transaction(3, timestamp=None), transaction(4)]
    answer = client.post(json.dumps(items).encode(), "/api/v1/predict/batch")
    assert answer.status_code == 200
    first, second, third, fourth = answer.json()
    assert [first["transaction_id"], fourth["transaction_id"]] == ["transaction-1", "transaction-4"]
    assert [second["error"]["field"], third["error"]["field"]] == ["amount", "timestamp"]
    assert second["error"]["request_id"] == answer.headers["x-request-id"]


def test_a_thousand_at_once_and_not_one_more(client: Client, raw_topic: FakeRawTopic) -> None:
    items = [transaction(number, customer_id=f"c-{number % 7}") for number in range(1, 1_002)]
    refused = client.post(json.dumps(items).encode(), "/api/v1/predict/batch")
    assert refused.status_code == 413
    assert raw_topic.sent == []
    answer = client.post(json.dumps(items[:1_000]).encode(), "/api/v1/predict/batch")
    assert [item["transaction_id"] for item in answer.json()] == [i["transaction_id"] for i in items[:1_000]]
    assert len(raw_topic.sent) == 1_000


def test_a_dry_run_leaves_no_trace(client: Client, store: FakeStore, raw_topic: FakeRawTopic) -> None:
    dry = client.post(body(1), "/api/v1/predict?dry_run=true")
    assert dry.status_code == 200
    assert (store.claims, store.decisions, raw_topic.sent) == ({}, {}, [])
    assert client.post(body(1), "/api/v1/predict?dry_run=perhaps").json()["error"]["field"] == "dry_run"


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    "query",
    [
        *("dryrun=true", "Dry_Run=true", "dry-run=true", "dry_run[]=true", "trace=1", "=", "%00"),
        *("dry_run=true&trace=1", "dry_run=true&dry_run=false", "dry_run=true&dry_run=true"),
    ],
)
def test_a_misspelled_dry_run_is_no_real_call(
    client: Client, store: FakeStore, raw_topic: FakeRawTopic, path: str, query: str
) -> None:
    content = b"[" + body(1) + b"]" if "batch" in path else body(1)
    refused = client.post(content, f"{path}?{query}")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["field"]) == (422, "query_invalid", "dry_run")
    assert "trace" not in refused.text
    assert (store.claims, store.decisions, raw_topic.sent) == ({}, {}, [])


@pytest.mark.parametrize("query", ["", "&&", "dry%5Frun=True&", "dry_run=1"])
def test_a_query_that_says_nothing_else_is_taken(client: Client, query: str) -> None:
    assert client.post(body(1), f"/api/v1/predict?{query}").status_code == 200


@pytest.mark.parametrize("sent", ["order-17", "A.b_c-9", "f" * 64])
def test_a_well_formed_request_id_comes_back(client: Client, sent: str) -> None:
    answer = client.post(body(1), **{"X-Request-Id": sent})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "<script>", "4111111111111111", "4111-1111-1111-1111"])
def test_any_other_is_replaced(client: Client, sent: str) -> None:
    answer = client.post(body(1), **{"X-Request-Id": sent})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


def test_where_nothing_can_be_written_down_it_is_not_ready_until_there_is_room(
    client: Client, serving: Serving, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> tuple[int, str, bool]:
        serving._dependencies.probe()
        health = client.get("/health")
        return health.status_code, health.json()["dependencies"]["spool"], health.json()["ready"]

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", lambda *_: 0)
        full.setattr(os, "write", lambda *_: 0)
        assert told() == (200, "ok", True), "nobody looks at a disk that takes calls"
        assert client.post(body(1)).json()["error"]["code"] == "spool_failed"
        assert told() == (503, "failed", False)
    assert told() == (200, "ok", True), "a proxy sends no calls by which it could be seen"
    most, spool._most_bytes = spool._most_bytes, 10_000
    assert told() == (503, "full", False)
    spool._most_bytes = most
    assert told() == (200, "ok", True)
    assert list(spool.folder.glob("room")) == []


def test_health_names_each_dependency_and_readiness_follows_the_model(
    client: Client, serving: Serving, store: FakeStore, raw_topic: FakeRawTopic
) -> None:
    names = {"model": "ok", "online_store": "ok", "kafka": "ok", "spool": "ok"}
    answer = client.post(body(1)).json()
    assert client.get("/health").json() == {
        "status": "ready",
        "alive": True,
        "ready": True,
        "dependencies": names,
        "model": answer["model"],
        "policy_version": answer["policy_version"],
    }
    store.available = raw_topic.up = False
    serving._dependencies.probe()
    degraded = client.get("/health")
    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    assert degraded.json()["dependencies"] == names | {"online_store": "down", "kafka": "down"}
    serving.predictor.decider = None
    unavailable = client.get("/health")
    assert (unavailable.status_code, unavailable.json()["ready"]) == (503, False)
    assert unavailable.json()["alive"] is True
    assert unavailable.json()["model"] is unavailable.json()["policy_version"] is None


def test_without_a_model_predictions_and_card_are_a_503_that_says_what_to_do(
    client: Client, serving: Serving
) -> None:
    serving.predictor.decider = None
    for answer in (client.post(body(1)), client.get("/api/v1/model")):
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "model_unavailable"
        assert "bdp train" in answer.json()["error"]["message"]


def test_the_model_card_is_of_the_model_that_answers(client: Client) -> None:
    card, answer = client.get("/api/v1/model").json(), client.post(body(1)).json()
    assert {"name": card["name"], "version": card["version"]} == answer["model"]
    assert card["policy_version"] == answer["policy_version"]
    assert card["catalog_version"] == answer["catalog_version"]


def test_unknown_routes_and_wrong_methods_have_the_one_error_body(client: Client) -> None:
    for method, path, status in (
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/predict/", 404),
        ("GET", "/api/v1/predict", 405),
        ("PUT", "/api/v1/predict/batch", 405),
        ("DELETE", "/health", 405),
        ("GET", "/docs/static/nothing.js", 404),
        ("GET", "/docs/static/../../app.py", 404),
        ("GET", "/docs/static/%2e%2e/%2e%2e/http_app.py", 404),
    ):
        answer = client.request(method, path)
        assert answer.status_code == status, path
        assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
    assert client.get("/api/v1/predict").headers["allow"] == "POST"


def test_metrics_count_requests_by_route_and_never_by_what_a_caller_typed(client: Client) -> None:
    client.post(body(1))
    client.post(b"{}")
    client.get("/secret/4111111111111111")
    text = client.get("/metrics").text
    assert 'bdp_api_requests_total{route="/api/v1/predict",status="200"}' in text
    assert 'bdp_api_requests_total{route="/api/v1/predict",status="422"}' in text
    assert 'bdp_api_requests_total{route="other",status="404"}' in text
    assert 'bdp_api_request_duration_seconds_bucket{le="0.001",route="/api/v1/predict"}' in text
    assert "process_resident_memory_bytes" in text
    assert "secret" not in text


def test_docs_are_browsable_without_a_network(client: Client) -> None:
    assert client.get("/").headers["location"] == "/docs"
    page = client.get("/docs").text
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert linked
    for path in linked:
        assert path.startswith("/docs/"), "only what this service has itself"
        assert client.get(path).status_code == 200, path
    assert "/openapi.json" in client.get("/docs/start.js").text


def test_the_document_has_every_route_and_every_route_is_in_it(document: dict[str, Any]) -> None:
    served = {
        (route.path, method.lower())
        for route in Api().routes
        if isinstance(route, Route) and re.match("/api/|/health|/metrics", route.path)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == {(path, method) for path, methods in document["paths"].items() for method in methods}


def test_every_reference_of_the_document_resolves(document: dict[str, Any]) -> None:
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


def test_the_documents_transaction_is_the_contracts(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["Transaction"]
    jsonschema.Draft202012Validator.check_schema(schema)
    valid(document, schema, transaction(1))
    assert set(schema["required"]) == {"transaction_id", "customer_id", "amount", "timestamp"}


def test_the_documents_label_is_the_contracts_but_for_its_time(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["Label"]
    valid(document, schema, json.loads(LABEL))
    assert set(schema["required"]) == {"transaction_id", "customer_id", "is_fraud"}


def test_answers_are_what_the_document_says(client: Client, document: dict[str, Any]) -> None:
    for path, content, status in (
        ("/api/v1/predict", body(1), 200),
        ("/api/v1/predict", body(1, amount=2), 409),
        ("/api/v1/predict", b"{", 400),
        ("/api/v1/predict", b"{}", 422),
        ("/api/v1/predict/batch", b"[" + body(5) + b",{}]", 200),
        ("/api/v1/predict/batch", b"{}", 422),
        ("/api/v1/labels", LABEL, 202),
        ("/api/v1/labels", b"{}", 422),
        ("/api/v1/labels/batch", b"[" + LABEL + b",{}]", 202),
    ):
        answer = client.post(content, path)
        assert answer.status_code == status
        valid(document, answer_schema(document, path, "post", status), answer.json())
    for path in ("/health", "/api/v1/model"):
        valid(document, answer_schema(document, path, "get", 200), client.get(path).json())
    path = "/api/v1/decisions/{transaction_id}"
    for query, status in (("?customer_id=customer-1", 200), ("?customer_id=other", 404), ("", 422)):
        answer = client.get(path.format(transaction_id="transaction-1") + query)
        valid(document, answer_schema(document, path, "get", status), answer.json())


@pytest.mark.parametrize("path", ["/api/v1/model", "/api/v1/predict", "/nothing", "/health", "/docs", "/"])
def test_every_answer_tells_browsers_to_keep_and_load_nothing(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "server" not in headers


def test_the_docs_run_only_what_this_service_has_itself(client: Client) -> None:
    for path in ("/docs", "/docs/start.js", "/docs/static/swagger-ui-bundle.js"):
        assert "script-src 'self';" in client.get(path).headers["content-security-policy"]
    assert "<script>" not in client.get("/docs").text
    assert "script-src" not in client.get("/openapi.json").headers["content-security-policy"]


def test_the_service_file_stays_small() -> None:
    service = Path(bento.__file__).parent / "service.py"
    assert len(service.read_text().splitlines()) <= 150
