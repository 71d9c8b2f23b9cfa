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
from bdp_assets_tests.unit.bento.conftest import Client, body, transaction
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore

CANARY = "c4n4ry"
PAN = "4111111111111111"
SINGLE, BATCH = "/api/v1/predict", "/api/v1/predict/batch"


def raw(amount: str) -> bytes:
    """A transaction whose amount is any text, JSON or not."""
    return body(1, amount=0.0).replace(b"0.0", amount.encode(), 1)


NOT_JSON = {
    "nothing": b"",
    "blank": b"   ",
    "cut off": body(1)[:-1],
    "trailing comma": body(1)[:-1] + b",}",
    "two objects": body(1) + body(2),
    "single quotes": body(1).replace(b'"', b"'"),
    "not utf-8": body(1, channel=CANARY).replace(CANARY.encode(), b"\xff\xfe" + CANARY.encode()),
    "utf-16": body(1).decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + body(1),
    "zero byte": body(1) + b"\x00",
    "bare control character": body(1, channel=CANARY).replace(CANARY.encode(), b"\n" + CANARY.encode()),
    "deep array": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000,
    "form": b"transaction_id=c4n4ry&amount=1",
    "xml": b"<transaction>c4n4ry</transaction>",
    "NaN": raw("NaN"),
    "Infinity": raw("Infinity"),
    "-Infinity": raw("-Infinity"),
    "leading zero": raw("0123"),
    "plus sign": raw("+1"),
    "hexadecimal": raw("0x10"),
    "only a point": raw("."),
    "comment": body(1)[:-1] + b"/* c4n4ry */}",
}
BROKEN: dict[str, bytes] = {
    "null": b"null",
    "a number": b"17",
    "a text": b'"c4n4ry"',
    "an array": b"[" + body(1) + b"]",
    "an empty object": b"{}",
    **{
        f"no {name}": body(1, **{name: None})
        for name in ("transaction_id", "customer_id", "amount", "timestamp")
    },
    "amount null": raw("null"),
    "amount as text": raw('"c4n4ry"'),
    "amount as array": raw('["c4n4ry"]'),
    "amount true": raw("true"),
    "amount negative": raw("-1500.00"),
    "amount too precise": raw("1.005"),
    "amount too large": raw("1e300"),
    "amount endless": raw("9" * 5_000),
    "amount tiny exponent": raw("1e-999999999"),
    "amount huge exponent": raw("1e999999999"),
    "id empty": body(1, transaction_id=""),
    "id a number": body(1, transaction_id=17),
    "id an object": body(1, transaction_id={CANARY: CANARY}),
    "id too long": body(1, transaction_id=CANARY * 50),
    "id with markup": body(1, transaction_id=f"<script>{CANARY}</script>"),
    "id with line break": body(1, customer_id=f"a\r\nX-Header: {CANARY}"),
    "id with zero": body(1, customer_id=f"{CANARY}\x00"),
    "id right to left": body(1, customer_id=f"\u202e{CANARY}"),
    "id sql": body(1, customer_id=f"'; drop table {CANARY}; --"),
    "timestamp naive": body(1, timestamp="2024-01-15T10:30:00"),
    "timestamp a number": body(1, timestamp=1705314600),
    "timestamp of no day": body(1, timestamp="2024-02-30T10:30:00Z"),
    "timestamp of no hour": body(1, timestamp="2024-02-20T24:30:00Z"),
    "timestamp ahead": body(1, timestamp="2999-01-01T00:00:00Z"),
    "timestamp before 1970": body(1, timestamp="1969-12-31T23:59:59Z"),
    "timestamp words": body(1, timestamp=CANARY),
    "currency unknown": body(1, currency="ZZZ"),
    "currency small": body(1, currency="usd"),
    "country words": body(1, country=CANARY),
    "latitude far": body(1, latitude=91),
    "longitude text": body(1, longitude=CANARY),
    "ip words": body(1, ip=CANARY),
    "lone surrogate": body(1, channel=CANARY).replace(CANARY.encode(), rb"\ud800"),
    "field unknown": body(1, **{f"{CANARY} field": 1}),
    "field unknown object": body(1, extra={CANARY: [CANARY]}),
    "card number in id": body(1, transaction_id=PAN),
    "card number in merchant": body(1, merchant_id=f"m-{PAN}"),
    "card number in groups": body(1, device_id="4111-1111-1111-1111"),
    "card number as amount text": raw(f'"{PAN}"'),
    "card number in a name": body(1, **{PAN: 1}),
}


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


UNTYPED = [
    ("Content-Type", b"application/json\xff"),
    ("Content-Length", b"9" * 30),
    ("X-Request-Id", b"\xff\xfe"),
    ("X-Request-Id", b"4111111111111111"),
    ("traceparent", b"\xf0\x9f\x92\xa9"),
    ("Authorization", b"Bearer \xc3\x28"),
    ("X-API-Key", b"\x80" * 10_000),
    ("Accept", b"*/*;q=nan"),
    ("Cookie", b"a=\xed\xa0\x80"),
]


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


PATHS = [
    "/api/v1/predict/",
    "/api/v1//predict",
    "/API/V1/PREDICT",
    "/api/v1/predict%00",
    "/api/v1/predict;x=1",
    "/%ff%fe",
    "/%",
    "/" + "a" * 20_000,
    "/docs/static/..%2f..%2fserver.py",
    "/docs/static/%00",
    "/docs/static/" + "a" * 5_000,
    "/docs/static/" + "a/" * 3_000,
]


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


DOUBLED = {
    "twice the same": body(1)[:-1] + b',"amount":100.0}',
    "twice another": body(1)[:-1] + b',"amount":1e300}',
    "twice an id": body(1)[:-1] + b',"transaction_id":"c4n4ry"}',
    "once hidden": body(1)[:-1] + rb',"\u0061mount":-1}',
}


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


SCRAPS = [
    b"\x00",
    b"\xff",
    b'"',
    b"{",
    b"]",
    b"1e400",
    b"-0",
    b"NaN",
    b"null",
    rb"\ud800",
    rb"\u0000",
    b"9" * 400,
    b"[" * 2_000,
]
