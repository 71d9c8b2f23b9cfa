"""Calls that offer another protocol: answered as if they had not, however they come, and in bounds."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise

import pytest

from bdp_assets_tests.unit.bento.conftest import body
from bdp_assets_tests.unit.bento.ways import Ways
from bdp_assets_tests.unit.bento.wire import request, until
from bento import requests
from bento.connections import HEAD_LIMIT_BYTES

H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")
"""As Java's own client says it."""
WEBSOCKET = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)
OFFERS = (H2C, WEBSOCKET, ("Upgrade: websocket", "Upgrade: h2c", "connection: keep-alive, upgrade"))
BATCH = "POST /api/v1/predict/batch HTTP/1.1"
NAMED = "X-Request-Id: order-17"


def chunked(*headers: str) -> bytes:
    whole = request(body(1), "Transfer-Encoding: chunked", *headers)
    head, _, content = whole.partition(b"\r\n\r\n")
    head = head.replace(b"Content-Length: %d\r\n" % len(content), b"")
    return head + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)


@pytest.mark.parametrize("offer", OFFERS)
def test_an_offer_is_passed_over_and_the_call_answered_also_below_asgi(
    ways: Ways, offer: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "uvicorn.error")
    for content, line in ((body(1), "POST /api/v1/predict HTTP/1.1"), (b"[" + body(1) + b"]", BATCH)):
        plain = ways.same(request(content, NAMED, line=line))
        assert plain.sent.startswith(b"HTTP/1.1 200 ")
        assert ways.same(request(content, NAMED, *offer, line=line)) == plain
    assert ways.was_fast == [False, True] * 2 + [False, False] * 2
    assert caplog.records == []


def test_its_body_may_come_in_chunks_and_its_answer_be_the_last(ways: Ways) -> None:
    assert ways.same(chunked(NAMED, *H2C)) == ways.same(chunked(NAMED))
    last = ways.same(request(body(1), NAMED, "Upgrade: h2c", "Connection: close, Upgrade"))
    assert last == ways.same(request(body(1), NAMED, "Connection: close"))
    assert last.closed


@pytest.mark.parametrize("offer", [H2C, WEBSOCKET])
def test_it_may_be_cut_anywhere_and_others_come_behind_it(ways: Ways, offer: tuple[str, ...]) -> None:
    whole = b"".join(
        [
            request(body(1), NAMED, *offer),
            request(body(2), NAMED),
            chunked(NAMED, *offer),
            request(line="GET /api/v1/model HTTP/1.1"),
            request(body(3), NAMED, *offer),
        ]
    )
    plain = ways.heard([whole.replace(b"Upgrade: ", b"Updates: ")], fast=False)
    assert plain.sent.count(b"HTTP/1.1 200 ") == 5
    for at in (*range(1, len(whole), 7), len(whole)):
        assert ways.heard([whole[:at], whole[at:]], fast=True) == plain
    for size in (1, 50):
        pieces = [whole[a:b] for a, b in pairwise([*range(0, len(whole), size), len(whole)])]
        assert ways.heard(pieces, fast=True) == plain


def test_many_in_one_piece_are_as_many_answers(ways: Ways) -> None:
    one = request(b"", *H2C, line="GET / HTTP/1.1")
    assert ways.heard([one * 1_200], fast=True).sent.count(b"HTTP/1.1 ") == 1_200


def test_what_a_websocket_library_would_say_back_is_not_said(ways: Ways) -> None:
    key = "Sec-WebSocket-Key: 4000056655665556"
    heard = ways.same(request(b"", *WEBSOCKET[:2], key, line="GET /api/v1/model HTTP/1.1"))
    assert heard.sent.startswith(b"HTTP/1.1 200 ")
    assert b"4000056655665556" not in heard.sent


def test_a_head_that_is_large_by_its_offer_is_a_431(ways: Ways) -> None:
    heard = ways.same(request(b"", "Connection: upgrade", "Upgrade: " + "x" * HEAD_LIMIT_BYTES))
    assert (heard.sent[:12], heard.sent.count(b"HTTP/1.1"), heard.closed) == (b"HTTP/1.1 431", 1, True)


def test_a_body_behind_an_offer_comes_in_time_or_is_a_408(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "BODY_TIMEOUT_S", 0.01)
    assert ways.same(request(body(1), *H2C)[:-1]).sent.startswith(b"HTTP/1.1 408 ")


def test_the_clock_of_a_head_stops_with_it_and_starts_with_the_next(ways: Ways) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True)
        wire.hear(request(body(1), *H2C))
        assert not wire.protocol._head.runs
        wire.hear(request(body(1), *H2C)[:30])
        assert wire.protocol._head.runs
        await until(lambda: b" 200 OK" in wire.transport.sent)
        wire.leave()

    asyncio.run(test())


@pytest.mark.parametrize("offer", [(), WEBSOCKET])
def test_a_tunnel_is_refused_and_nothing_behind_it_is_heard(
    ways: Ways, offer: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "uvicorn.error")
    tunnel = request(b"", *offer, line="CONNECT /api/v1/predict HTTP/1.1")
    heard = ways.same(tunnel + request(body(1)), request(body(1)))
    assert heard.sent.startswith(b"HTTP/1.1 405 ")
    assert (heard.sent.count(b"HTTP/1.1"), heard.closed) == (1, True)
    assert caplog.records == []
