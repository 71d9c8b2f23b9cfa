"""Calls below ASGI: the same bytes as over it, for good calls and bad ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bdp_assets.observability.metrics import API_REQUEST_DURATION, API_REQUESTS
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.hostile import BROKEN, NOT_JSON
from bdp_assets_tests.fakes.spans import told_spans, tree
from bdp_assets_tests.unit.bento.access.test_access import issue
from bdp_assets_tests.unit.bento.conftest import body
from bdp_assets_tests.unit.bento.fakes import FakeStore
from bdp_assets_tests.unit.bento.ways import Ways
from bdp_assets_tests.unit.bento.wire import request
from bento.access.keyring import Keyring
from bento.access.scopes import Scope
from bento.requests import SINGLE_LIMIT_BYTES
from bento.serving import Serving

PATH = "/api/v1/predict"
GOOD = request(body(1))
SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CHUNKED = (
    GOOD[: GOOD.index(b"Content-Length")]
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body(1)), body(1))
)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (GOOD, 200),
        (request(body(1), "X-Request-Id: order-17", f"traceparent: {SAMPLED}"), 200),
        (request(body(1), "X-Request-Id: 4111111111111111", "traceparent: 00-xyz"), 200),
        (request(body(1), "Connection: close"), 200),
        (request(body(1), "X-Odd: \xe9\xff"), 200),
        (request(body(1), "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"), 200),
        (request(b"{}", "Connection: Upgrade", "Upgrade: websocket"), 422),
        (GOOD.replace(b"application/json", b"Application/JSON; charset=utf-8"), 200),
        (GOOD.replace(b"application/json", b"text/plain"), 415),
        (GOOD.replace(b"Content-Type: application/json\r\n", b""), 415),
        (request(body(1), "Content-Encoding: gzip"), 415),
        (request(b" " * (SINGLE_LIMIT_BYTES + 1)), 413),
        (request(b""), 400),
        *((request(text), 400) for text in NOT_JSON.values() if len(text) <= SINGLE_LIMIT_BYTES),
        *((request(text), 422) for text in BROKEN.values() if len(text) <= SINGLE_LIMIT_BYTES),
    ],
)
def test_what_is_plain_goes_below_asgi_and_is_answered_as_over_it(
    ways: Ways, said: bytes, status: int
) -> None:
    assert ways.same(said).sent.startswith(b"HTTP/1.1 %d " % status)
    assert ways.was_fast == [False, True]


@pytest.mark.parametrize(
    "said",
    [
        CHUNKED,
        request(body(1), "Expect: 100-continue"),
        request(body(1), "X-Forwarded-For: 10.0.0.1"),
        request(body(1), line=f"POST {PATH}?dry_run=true HTTP/1.1"),
        request(body(1), line=f"POST {PATH}?dryrun=true HTTP/1.1"),
        request(body(1), line=f"POST http://api{PATH} HTTP/1.1"),
        request(body(1), line=f"POST {PATH} HTTP/1.0"),
        request(line=f"GET {PATH} HTTP/1.1"),
        request(b"[" + body(1) + b"]", line=f"POST {PATH}/batch HTTP/1.1"),
        request(line="GET /api/v1/model HTTP/1.1"),
    ],
)
def test_all_else_goes_over_asgi(ways: Ways, said: bytes) -> None:
    assert ways.same(said).sent
    assert ways.was_fast == [False, False]


def test_a_body_that_is_still_to_come_is_waited_for_over_asgi_and_a_head_is_not(ways: Ways) -> None:
    for at in (len(GOOD) - len(body(1)), len(GOOD) - 1):
        assert b" 200 OK" in ways.same(GOOD[:at], GOOD[at:]).sent
    assert not any(ways.was_fast)
    for at in (1, 30, 90):
        assert b" 200 OK" in ways.same(GOOD[:at], GOOD[at:]).sent
    assert ways.was_fast[4:] == [False, True] * 3


def test_what_is_no_http_behind_a_call_takes_its_place(ways: Ways) -> None:
    heard = ways.same(GOOD + b"4111 1111 1111 1111")
    assert (heard.sent[:12], heard.closed) == (b"HTTP/1.1 400", True)
    assert ways.was_fast == [False, True]


_BODIES = st.sampled_from([body(1), body(2), body(1, amount=7), body(3, amount=-1), b"", b"{", b"x" * 70_000])
_LINES = st.sampled_from(
    [
        *[f"POST {PATH} HTTP/1.1"] * 6,
        f"POST {PATH}?dry_run=perhaps HTTP/1.1",
        f"POST {PATH}/ HTTP/1.1",
        f"PUT {PATH} HTTP/1.1",
        "POST /api/v1/labels HTTP/1.1",
        "GET /api/v1/model HTTP/1.1",
    ]
)
_HEADERS = st.lists(
    st.sampled_from(
        [
            "X-Request-Id: a",
            "X-Request-Id: b c",
            f"Traceparent: {SAMPLED}",
            "Content-Encoding: identity",
            "Content-Encoding: br",
            "Content-Type: text/html",
            "X-Forwarded-For: 10.0.0.9",
            "Connection: keep-alive",
            "Connection: close",
            "Connection: upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "Upgrade: websocket",
            "Authorization: Bearer nobody",
        ]
    ),
    max_size=3,
)
_REQUESTS = st.builds(
    lambda body, headers, line: request(body, *headers, line=line), _BODIES, _HEADERS, _LINES
)


@given(
    st.lists(_REQUESTS, min_size=1, max_size=4), st.lists(st.integers(0, 2_000), max_size=3), st.booleans()
)
@settings(max_examples=cases(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_say_the_same_however_it_comes(
    ways: Ways, said: list[bytes], cuts: list[int], limited: bool
) -> None:
    ways.rate = 2 if limited else 0
    whole = b"".join(said)
    ends = [0, *sorted(cut % len(whole) for cut in cuts), len(whole)]
    ways.same(*(whole[a:b] for a, b in pairwise(ends)))


def test_keys_are_asked_for(ways: Ways, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    shown = {scope: issue(path, scope, scope) for scope in (Scope.PREDICT, Scope.LABEL)}
    ways.keyring = Keyring(path)
    ways.keyring.look()
    for key, status in ((shown[Scope.PREDICT], 200), (shown[Scope.LABEL], 403), ("", 401), ("bdp_x", 401)):
        for header in (f"Authorization: Bearer {key}", f"X-API-Key: {key}"):
            assert ways.same(request(body(1), header)).sent.startswith(b"HTTP/1.1 %d " % status)
    assert ways.was_fast == [False, True] * 8


def test_a_limit_holds_and_is_told(ways: Ways) -> None:
    ways.rate = 1
    heard = ways.same(GOOD, GOOD).sent
    assert heard.index(b" 200 OK") < heard.index(b" 429 Too Many Requests")
    assert heard.count(b"ratelimit-remaining: 0") == 2
    assert heard.count(b"retry-after: 1") == 1


def test_degraded_or_without_a_model(ways: Ways, serving: Serving, store: FakeStore) -> None:
    store.available = False
    assert b'"degraded":true' in ways.same(GOOD).sent
    serving.predictor.decider = None
    assert b"model_unavailable" in ways.same(GOOD).sent
    assert ways.was_fast == [False, True] * 2


def test_a_defect_is_a_500_and_the_end_of_the_connection(
    ways: Ways, store: FakeStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("4111 1111 1111 1111")

    monkeypatch.setattr(store, "claim", broken)
    heard = ways.same(GOOD)
    assert (heard.sent.count(b"500 Internal Server Error"), heard.closed) == (1, True)
    assert [one.name for one in caplog.records].count("bdp.api.app") == 2


def test_a_call_is_counted_timed_and_traced(ways: Ways) -> None:
    def figures() -> Iterator[float]:
        for status in (200, 422):
            yield API_REQUESTS.labels(PATH, status)._value.get()
        yield from (bucket.get() for bucket in API_REQUEST_DURATION.labels(PATH)._buckets[-1:])
        yield sum(bucket.get() for bucket in API_REQUEST_DURATION.labels(PATH)._buckets)

    async def talk(*, fast: bool) -> tuple[list[float], list[tuple[str, str]]]:
        before = list(figures())
        with told_spans(0.0) as told:
            wire = ways.wire(fast=fast)
            await wire.say(request(body(1), f"traceparent: {SAMPLED}"), request(b"{}"))
            spans = tree(told())
        return [now - then for now, then in zip(figures(), before, strict=True)], spans

    below, over = asyncio.run(talk(fast=True)), asyncio.run(talk(fast=False))
    assert below == over
    assert below[0][:2] == [1, 1]
    assert (f"POST {PATH}", "") in below[1]
