"""`POST /api/v1/labels`: in the spool before it is answered, whatever is away; or refused without an echo."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import time
from typing import Any

import pytest

from bdp_assets.contracts.adjustments import decode_posted_adjustment
from bdp_assets.contracts.erasure import CUSTOMER_ERASED, Tombstones, customer_hash
from bdp_assets.contracts.labels import decode_label, decode_posted
from bdp_assets.contracts.notices import EARLIEST_MS
from bdp_assets.contracts.topics import ADJUSTMENTS, LABELS
from bdp_assets_tests.fakes.hostile import CANARY, NOT_JSON, PAN
from bdp_assets_tests.unit.bento.conftest import Client
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore
from bdp_assets_tests.unit.bento.test_hostile import BATCH as PREDICT_BATCH
from bdp_assets_tests.unit.bento.test_hostile import refuse
from bento.calls import Call
from bento.errors import ApiError
from bento.notices import Notices
from bento.serving import Serving
from bento.spool.spool import Spool

ONE, BATCH = "/api/v1/labels", "/api/v1/labels/batch"


def label(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A change to None leaves the field out."""
    fields = {
        "transaction_id": f"transaction-{number}",
        "customer_id": f"customer-{number}",
        "is_fraud": True,
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def body(*arguments: Any, **changes: Any) -> bytes:
    return json.dumps(label(*arguments, **changes)).encode()


def test_a_label_is_taken_and_on_its_way_as_the_topic_has_it(client: Client, raw_topic: FakeRawTopic) -> None:
    before = time.time_ns() // 1_000_000
    answer = client.post(body(1, merchant_id="m"), ONE, **{"X-Request-Id": "one"})
    assert answer.status_code == 202
    told = answer.json()
    assert told.pop("request_id") == "one"
    assert told.pop("known_at_ms") >= before
    assert told == label(1, merchant_id="m") | {"ts_ms": None}
    [ready] = raw_topic.messages
    arrival = ready.came.arrival
    assert (arrival.topic, arrival.key, ready.outcome.decision) == (LABELS.name, "customer-1", b"")
    assert dict(arrival.headers)["request-id"] == b"one"
    on_topic = decode_label(arrival.value, received_ms=arrival.received_ms)
    assert (on_topic.transaction_id, on_topic.known_at_ms) == ("transaction-1", arrival.received_ms)


def test_it_needs_no_model_no_store_and_no_broker(
    client: Client, serving: Serving, store: FakeStore, raw_topic: FakeRawTopic
) -> None:
    store.available = raw_topic.up = False
    serving.predictor.decider = None
    serving._dependencies.probe()
    assert client.post(body(1, known_at_ms=EARLIEST_MS), ONE).json()["known_at_ms"] == EARLIEST_MS
    assert len(raw_topic.messages) == 1


def test_a_batch_has_a_result_or_an_error_for_each_item_in_order(
    client: Client, raw_topic: FakeRawTopic
) -> None:
    items = [label(number, is_fraud=number % 2 == 0) for number in range(250)]
    items[120] = label(120, is_fraud=CANARY)
    answer = client.post(json.dumps(items).encode(), BATCH)
    assert answer.status_code == 202
    assert CANARY not in answer.text
    results = answer.json()
    assert results.pop(120)["error"]["field"] == "is_fraud"
    names = [item["transaction_id"] for item in items if item["is_fraud"] != CANARY]
    assert [one["transaction_id"] for one in results] == names
    assert [json.loads(value)["transaction_id"] for _, value in raw_topic.sent] == names


def test_a_dry_run_leaves_no_trace(client: Client, raw_topic: FakeRawTopic) -> None:
    assert client.post(body(1), f"{ONE}?dry_run=true").status_code == 202
    assert client.post(body(1, is_fraud=1), f"{ONE}?dry_run=true").status_code == 422
    assert raw_topic.messages == []


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_can_not_be_read_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, raw_topic: FakeRawTopic, name: str
) -> None:
    refuse(client, ONE, NOT_JSON[name], caplog)
    assert raw_topic.messages == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"transaction_id": None}, "transaction_id"),
        ({"customer_id": None}, "customer_id"),
        ({"is_fraud": None}, "is_fraud"),
        ({"is_fraud": CANARY}, "is_fraud"),
        ({"customer_id": CANARY * 50}, "customer_id"),
        ({"known_at_ms": CANARY}, "known_at_ms"),
        ({"known_at_ms": 9 * 10**15}, "known_at_ms"),
        ({"known_at_ms": 1_767_225_600}, "known_at_ms"),
        ({"ts_ms": -1}, "ts_ms"),
        ({"merchant_id": f"m-{PAN}"}, None),
        ({"known_at": 5}, "known_at"),
        ({PAN: 1}, None),
        ({f"{CANARY} -": 1}, None),
    ],
)
def test_what_breaks_the_contract_names_its_field(
    client: Client,
    caplog: pytest.LogCaptureFixture,
    raw_topic: FakeRawTopic,
    changes: dict[str, Any],
    field: str | None,
) -> None:
    refused = refuse(client, ONE, body(1, **changes), caplog)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)
    assert raw_topic.messages == []


def test_a_batch_is_a_bare_array_of_so_many(client: Client) -> None:
    for path in (BATCH, PREDICT_BATCH):
        assert client.post(b"{}", path).json()["error"]["code"] == "batch_not_array"
        assert client.post(b"[" + b"{}," * 1_000 + b"{}]", path).json()["error"]["code"] == "batch_too_long"


def test_what_can_not_be_written_down_is_not_taken(
    client: Client, serving: Serving, raw_topic: FakeRawTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "write", refused)
        assert client.post(body(1), ONE).json()["error"]["code"] == "spool_failed"
    monkeypatch.setattr(serving.labels._spool, "_most_bytes", 0)
    queue_full = client.post(body(2), ONE)
    assert (queue_full.status_code, queue_full.json()["error"]["code"]) == (503, "queue_full")
    assert queue_full.headers["retry-after"] == "1"
    assert raw_topic.messages == []


def test_of_an_erased_customer_only_what_says_that_it_is_of_later_is_taken(spool: Spool) -> None:
    erased_ms = EARLIEST_MS + 1_000
    stones = Tombstones({customer_hash("customer-1", b"key"): erased_ms}, b"key")
    labels = Notices(spool, LABELS, decode_posted, lambda: stones)
    adjustments = Notices(spool, ADJUSTMENTS, decode_posted_adjustment, lambda: stones)
    refund = {
        "adjustment_id": "a",
        "type": "refund",
        "original_transaction_id": "t",
        "ts_ms": erased_ms + 1_000,
    }
    told = asyncio.run(
        labels.take(
            [body(1), body(1, ts_ms=erased_ms), body(1, ts_ms=erased_ms + 1), body(2)],
            Call("r", "t", dry_run=True),
        )
    )
    returned = asyncio.run(
        adjustments.take(
            [json.dumps({**refund, "customer_id": who}).encode() for who in ("customer-1", "customer-2")],
            Call("r", "t", dry_run=True),
        )
    )
    refused = [one.code if isinstance(one, ApiError) else None for one in (*told, *returned)]
    assert refused == [CUSTOMER_ERASED, CUSTOMER_ERASED, None, None, CUSTOMER_ERASED, None]
