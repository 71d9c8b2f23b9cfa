"""`POST /api/v1/adjustments`: in the spool before it is answered, and nothing else happens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bdp_assets.contracts.adjustments import decode_adjustment
from bdp_assets.contracts.records import Adjustment, AdjustmentType
from bdp_assets.contracts.topics import ADJUSTMENTS
from bdp_assets_tests.unit.bento.conftest import Client, body
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore
from bdp_assets_tests.unit.bento.test_hostile import CANARY, PAN, refuse

PATH = "/api/v1/adjustments"
REFUND = {
    "adjustment_id": "r-1",
    "type": "refund",
    "customer_id": "customer-1",
    "original_transaction_id": "transaction-1",
}


def test_a_refund_is_on_its_way_and_no_claim_feature_or_decision_is_made(
    client: Client, store: FakeStore, raw_topic: FakeRawTopic
) -> None:
    answer = client.post(json.dumps(REFUND).encode(), PATH)
    assert answer.status_code == 202
    [ready] = raw_topic.messages
    arrival = ready.came.arrival
    assert (arrival.topic, arrival.key, ready.outcome.decision) == (ADJUSTMENTS.name, "customer-1", b"")
    assert decode_adjustment(arrival.value, received_ms=arrival.received_ms) == Adjustment(
        adjustment_id="r-1",
        type=AdjustmentType.REFUND,
        customer_id="customer-1",
        original_transaction_id="transaction-1",
        ts_ms=arrival.received_ms,
    )
    assert answer.json()["ts_ms"] == arrival.received_ms
    assert (store.claims, store.decisions) == ({}, {})


def test_a_refund_that_is_sent_as_a_transaction_is_told_where_to_go(
    client: Client, store: FakeStore, raw_topic: FakeRawTopic
) -> None:
    error = client.post(body(1, type="refund", amount=-5)).json()["error"]
    assert (error["code"], error["field"]) == ("not_a_purchase", "type")
    assert PATH in error["message"]
    assert (store.claims, raw_topic.messages) == ({}, [])
    assert client.post(body(1, type="purchase")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": CANARY}, "type"),
        ({"type": f"{CANARY}' - at `$.{CANARY}`"}, "type"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": 1.5}, "amount_minor"),
        ({"original_transaction_id": None}, "original_transaction_id"),
        ({"ts_ms": 9 * 10**15}, "ts_ms"),
        ({"ts_ms": 0}, "ts_ms"),
        ({"adjustment_id": PAN}, None),
        ({"ts": 5}, "ts"),
    ],
)
def test_what_breaks_the_contract_names_its_field(
    client: Client,
    caplog: pytest.LogCaptureFixture,
    raw_topic: FakeRawTopic,
    changes: dict[str, Any],
    field: str | None,
) -> None:
    refused = refuse(client, PATH, json.dumps(REFUND | changes).encode(), caplog)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)
    assert raw_topic.messages == []
