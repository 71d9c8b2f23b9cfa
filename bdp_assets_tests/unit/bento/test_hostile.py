"""Bad requests: each is refused with a 4xx and the one error body; nothing of it comes back or is logged."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.hostile import (
    BROKEN,
    CANARY,
    DOUBLED,
    NOT_JSON,
    PAN,
    PATHS,
    SCRAPS,
    UNTYPED,
)
from bdp_assets_tests.unit.bento.conftest import Client, body, transaction
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore

SINGLE, BATCH = "/api/v1/predict", "/api/v1/predict/batch"


def refuse(
    client: Client, path: str, content: bytes, caplog: pytest.LogCaptureFixture, **headers: str
) -> Any:
    caplog.set_level(logging.DEBUG)
    answer = client.post(content, path, **headers)
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert set(error) == {"code", "field", "message", "request_id"}
    assert error["code"] and error["message"]
    assert error["request_id"] == answer.headers["x-request-id"]
    for text in (answer.text, str(answer.headers), caplog.text):
        assert CANARY not in text
        assert PAN not in text
    return answer


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_can_not_be_read_is_a_400(client: Client, caplog: pytest.LogCaptureFixture, name: str) -> None:
    assert refuse(client, SINGLE, NOT_JSON[name], caplog).status_code == 400


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_contract_is_a_422(
    client: Client,
    caplog: pytest.LogCaptureFixture,
    store: FakeStore,
    raw_topic: FakeRawTopic,
    name: str,
) -> None:
    assert refuse(client, SINGLE, BROKEN[name], caplog).status_code == 422
    assert (store.claims, raw_topic.sent) == ({}, [])


@pytest.mark.parametrize("name", sorted(set(BROKEN) - {"lone surrogate"}))  # that makes the array unreadable
def test_in_a_batch_only_the_bad_item_is_refused(client: Client, name: str) -> None:
    content = b"[" + body(1) + b"," + BROKEN[name] + b"," + body(2) + b"]"
    answer = client.post(content, BATCH)
    assert answer.status_code == 200
    first, refused, last = answer.json()
    assert (first["transaction_id"], last["transaction_id"]) == ("transaction-1", "transaction-2")
    assert set(refused["error"]) == {"code", "field", "message", "request_id"}
    assert CANARY not in answer.text


@pytest.mark.parametrize("name", sorted(set(NOT_JSON) - {"byte order mark", "deep object"}))
def test_a_batch_that_can_not_be_read_is_refused_whole(
    client: Client, caplog: pytest.LogCaptureFixture, name: str, raw_topic: FakeRawTopic
) -> None:
    content = NOT_JSON[name] if name.startswith("deep") else b"[" + body(7) + b"," + NOT_JSON[name] + b"]"
    answer = client.post(content, BATCH)
    refused_item = answer.status_code == 200 and "error" in answer.json()[1]
    assert refused_item or refuse(client, BATCH, content, caplog).status_code == 400
    assert len(raw_topic.sent) == (1 if refused_item else 0)


@pytest.mark.parametrize("content", [b"{}", b"null", b"17", b'"c4n4ry"', body(1)])
def test_a_batch_is_a_bare_array(client: Client, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    assert refuse(client, BATCH, content, caplog).json()["error"]["code"] == "batch_not_array"


@pytest.mark.parametrize(("path", "size"), [(SINGLE, 1_000_000), (BATCH, 3_000_000)])
def test_a_large_body_is_a_413_whether_its_length_is_declared_or_not(
    client: Client, caplog: pytest.LogCaptureFixture, path: str, size: int
) -> None:
    content = json.dumps([transaction(1, channel=CANARY * (size // 6))]).encode()
    assert refuse(client, path, content, caplog).status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 60_000):
            yield content[start : start + 60_000]

    answer = client.post(chunks(), path)
    assert answer.status_code == 413
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", CANARY, ""]
)
def test_another_media_type_is_a_415(
    client: Client, caplog: pytest.LogCaptureFixture, media_type: str
) -> None:
    for path in (SINGLE, BATCH):
        assert refuse(client, path, body(1), caplog, **{"Content-Type": media_type}).status_code == 415


def test_a_packed_body_is_a_415(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert refuse(client, SINGLE, body(1), caplog, **{"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_any_spelling_is_taken(client: Client, media_type: str) -> None:
    assert client.post(body(1), **{"Content-Type": media_type}).status_code == 200


@pytest.mark.parametrize(("name", "value"), UNTYPED)
def test_headers_that_are_no_text_harm_nothing(client: Client, name: str, value: bytes) -> None:
    for path in (SINGLE, BATCH):
        assert client.post(body(1), path, **{name: value}).status_code < 500
    assert client.get("/api/v1/model", **{name: value}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", [SINGLE, BATCH])
def test_another_method_is_a_405(client: Client, path: str, method: str) -> None:
    answer = client.request(method, path, content=body(1), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", PATHS)
def test_another_path_is_a_404(client: Client, path: str) -> None:
    for method in ("GET", "POST"):
        assert client.request(method, path).status_code in (404, 405)


@pytest.mark.parametrize(
    "query",
    [
        "dry_run",
        "dry_run=",
        "dry_run=%ff",
        "dry_run=true&dry_run=c4n4ry",
        "c4n4ry=true",
        "%00",
        "a" * 20_000,
        "&&&=",
        "dry_run[]=1",
    ],
)
def test_a_query_is_understood_or_refused(client: Client, query: str) -> None:
    answer = client.post(body(1), f"{SINGLE}?{query}")
    assert answer.status_code in (200, 422)
    assert CANARY not in answer.text


@pytest.mark.parametrize("name", DOUBLED)
def test_a_name_that_is_there_twice_is_one_or_a_refusal(client: Client, name: str) -> None:
    assert client.post(DOUBLED[name]).status_code in (200, 400, 422)


@given(st.binary(max_size=200))
@settings(max_examples=cases(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_4xx(client: Client, content: bytes) -> None:
    for path in (SINGLE, BATCH):
        assert client.post(content, path).status_code in ({400, 422} | ({200} if path == BATCH else set()))


@given(st.data())
@settings(max_examples=cases(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_good_body_with_anything_written_over_it_is_never_a_5xx(
    client: Client, data: st.DataObject
) -> None:
    content = body(1)
    at = data.draw(st.integers(0, len(content)))
    over = data.draw(st.sampled_from(SCRAPS) | st.binary(max_size=8))
    spoilt = content[:at] + over + content[at + data.draw(st.integers(0, 40)) :]
    assert client.post(spoilt).status_code < 500
    assert client.post(b"[" + spoilt + b"]", BATCH).status_code < 500
