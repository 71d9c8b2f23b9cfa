"""`GET /api/v1/decisions/...`: the record as it was kept, or why there is none."""

from __future__ import annotations

import pytest

from bdp_assets.contracts.codec import decode_prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets_tests.unit.bento.conftest import Client, body
from bdp_assets_tests.unit.bento.fakes import FakeStore
from bento.serving import Serving

PATH = "/api/v1/decisions/transaction-1?customer_id=customer-1"


def test_what_was_answered_is_there_with_what_it_was_decided_on(
    client: Client, store: FakeStore, decider: Decider
) -> None:
    answer = client.post(body(1)).json()
    record = client.get(PATH)
    assert record.status_code == 200
    assert record.content == store.decisions["customer-1", "transaction-1"]
    told = record.json()
    for field in ("transaction_id", "fraud_probability", "decision", "reasons", "policy_version", "degraded"):
        assert told[field] == answer[field]
    assert list(told["features"]) == list(CATALOG.names)
    assert (told["decided_by"], told["rules_version"]) == ("api", answer["rules_version"])
    again = decider.decide_again(decode_prediction(record.content))
    assert (again.probability, again.decision) == (answer["fraud_probability"], answer["decision"])


@pytest.mark.parametrize("path", [PATH, "/api/v1/decisions/transaction-2?customer_id=4111111111111111"])
def test_what_nobody_knows_is_a_404_that_says_where_else_to_look(client: Client, path: str) -> None:
    unknown = client.get(path)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "decision_unknown")
    assert "bdp decisions show" in unknown.json()["error"]["message"]
    assert "4111111111111111" not in unknown.text


@pytest.mark.parametrize(
    "query",
    [
        *("", "?customer_id=", "?customer=customer-1", "?customer_id=customer-1&day=1"),
        "?customer_id=customer-2&customer_id=customer-1",
    ],
)
def test_without_one_customer_and_nothing_else_it_is_not_said_whose(client: Client, query: str) -> None:
    refused = client.get(f"/api/v1/decisions/transaction-1{query}")
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "customer_id")


def test_while_the_store_is_down_it_is_a_503_and_only_the_first_one_waits(
    client: Client, serving: Serving, store: FakeStore
) -> None:
    client.post(body(1))
    store.available = False
    for _ in range(2):
        away = client.get(PATH)
        assert (away.status_code, away.json()["error"]["code"]) == (503, "store_unavailable")
        assert serving.health().dependencies["online_store"] == "down"
        store.available = True  # not asked again before a probe has found it
    serving._dependencies.probe()
    assert client.get(PATH).status_code == 200


def test_metrics_name_the_route_and_not_the_transaction(client: Client) -> None:
    client.get("/api/v1/decisions/a-secret?customer_id=c")
    text = client.get("/metrics").text
    assert 'bdp_api_requests_total{route="/api/v1/decisions/{transaction_id}",status="404"}' in text
    assert "a-secret" not in text
