"""Connections that say too much or too little: closed, and nothing of them is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from bdp_assets.observability.metrics import API_REQUESTS
from bdp_assets_tests.unit.bento.wire import FakeTransport
from bento import connections
from bento.connections import HEAD_LIMIT_BYTES, BoundedHttp
from bento.context import is_whole
from bento.frame import OTHER
from bento.headers import ANSWERS
from bento.models import Error

GOOD = b"GET /health HTTP/1.1\r\nHost: api\r\n\r\n"


class Connection:
    """A connection to an app that answers everything at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.whole: list[bool] = []
        """Whether all of a call had come when it was asked."""
        self.reads = True
        self.transport = FakeTransport()
        self.protocol = BoundedHttp(
            Config(self.app, lifespan="off", interface="asgi3", log_config=None), ServerState(), {}
        )
        self.protocol.connection_made(self.transport)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        self.whole.append(is_whole(scope))
        while self.reads and (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def say(self, *pieces: bytes) -> FakeTransport:
        for piece in pieces:
            if not self.transport.closed:
                self.protocol.data_received(piece)
        while self.protocol.server_state.tasks:
            await asyncio.sleep(0)
        return self.transport

    async def until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            await asyncio.sleep(0)


def run(test: Callable[[Connection], Coroutine[Any, Any, None]]) -> None:
    async def connected() -> None:
        connection = Connection()
        await test(connection)
        connection.protocol.connection_lost(None)

    asyncio.run(connected())


def test_calls_on_one_connection_are_answered() -> None:
    async def test(connection: Connection) -> None:
        body = b"POST /a HTTP/1.1\r\nHost: api\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
        sent = (await connection.say(GOOD, GOOD[:10], GOOD[10:], body, GOOD)).sent
        assert sent.count(b"200 OK") == 4
        assert not connection.transport.closed

    run(test)


def test_a_call_is_whole_where_nobody_has_to_wait_for_its_body() -> None:
    async def test(connection: Connection) -> None:
        head = b"POST /a HTTP/1.1\r\nHost: api\r\nContent-Length: 3\r\n\r\n"
        await connection.say(head + b"abc", GOOD, head[:9], head[9:] + b"abc")
        assert connection.whole == [True] * 3
        connection.protocol.data_received(head + b"a")
        await connection.until(lambda: len(connection.asked) == 4)
        await connection.say(b"bc")
        connection.protocol.data_received(GOOD + head + b"ab")
        await connection.until(lambda: len(connection.asked) == 6)
        await connection.say(b"c", GOOD)
        assert connection.whole[3:] == [False, True, False, True]
        assert connection.transport.sent.count(b"200 OK") == 7

    run(test)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * HEAD_LIMIT_BYTES,
        b"GET / HTTP/1.1\r\nX-Long: " + b"a" * HEAD_LIMIT_BYTES,
        b"GET / HTTP/1.1\r\n" + b"X-Many: a\r\n" * 10_000,
    ],
)
@pytest.mark.parametrize("piece", [1_000, 60_000, 10_000_000])
@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_a_head_that_is_too_large_is_a_431_however_it_comes(head: bytes, piece: int, end: bytes) -> None:
    async def test(connection: Connection) -> None:
        whole = head + (b" HTTP/1.1\r\n\r\n" if end and head.startswith(b"GET /a") else end)
        pieces = [whole[at : at + piece] for at in range(0, len(whole), piece)]
        transport = await connection.say(*pieces)
        assert transport.sent.startswith(b"HTTP/1.1 431 ")
        assert transport.sent.count(b"HTTP/1.1") == 1
        assert transport.closed
        assert connection.asked == []

    run(test)


def _coded(codings: bytes) -> bytes:
    head = b"POST /a HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: %b\r\n\r\n" % codings
    return head + b"3\r\nabc\r\n0\r\n\r\n"


LENGTHS = b"POST /a HTTP/1.1\r\nHost: api\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (LENGTHS, 400, "http_malformed"),
        (b"GET / HTTP/1.1\r\nHost: api\r\n folded: a\r\n\r\n", 400, "http_malformed"),
        (b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400, "http_malformed"),
        (b"\x16\x03\x01 4000056655665556", 400, "http_malformed"),
        (b"GET /a HTTP/1.1\r\n\r\n", 400, "http_malformed"),
        (b"GET /a HTTP/1.1\r\nHost: api\r\nHost: api\r\n\r\n", 400, "http_malformed"),
        (b"GET /a HTTP/1.0\r\nHost: api\r\nHost: api\r\n\r\n", 400, "http_malformed"),
        (_coded(b"gzip, chunked"), 501, "coding_unknown"),
        (_coded(b"gzip\r\nTransfer-Encoding: chunked"), 501, "coding_unknown"),
        (_coded(b"4000056655665556"), 501, "coding_unknown"),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"4" * HEAD_LIMIT_BYTES, 431, "head_too_large"),
    ],
)
def test_what_is_no_request_is_refused_as_any_other(said: bytes, status: int, code: str) -> None:
    async def test(connection: Connection) -> None:
        await connection.say(GOOD)
        sent = (await connection.say(said, GOOD)).sent
        head, _, content = sent.split(b"HTTP/1.1 ")[-1].partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = dict(one.split(": ", 1) for one in lines)
        error = msgspec.json.decode(content, type=Error).error
        assert (int(line[:3]), error.code) == (status, code)
        assert headers["x-request-id"] == error.request_id
        assert headers["content-type"] == "application/json"
        assert headers["content-length"] == str(len(content))
        assert headers["connection"] == "close"
        assert headers.items() >= {name.decode(): value.decode() for name, value in ANSWERS}.items()
        assert connection.transport.closed
        assert sent.count(b"HTTP/1.1 ") == 2
        assert b"4444" not in sent
        assert b"40000566" not in sent

    before = API_REQUESTS.labels(OTHER, status)._value.get()
    run(test)
    assert API_REQUESTS.labels(OTHER, status)._value.get() == before + 1


CHUNKED = b"POST /a HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("codings", [b"chunked", b"Chunked ", b"\tCHUNKED"])
def test_chunks_are_the_one_coding_that_is_known(codings: bytes) -> None:
    async def test(connection: Connection) -> None:
        sent = (await connection.say(_coded(codings), b"GET /health HTTP/1.0\r\n\r\n")).sent
        assert sent.count(b"200 OK") == 2

    run(test)


def test_trailers_are_no_headers() -> None:
    async def test(connection: Connection) -> None:
        connection.protocol.data_received(CHUNKED + b"1\r\nx\r\n0\r\nX-Request-Id: mine\r\n")
        await connection.until(lambda: len(connection.asked) == 1)
        headers = connection.protocol.scope["headers"]
        await connection.say(b"Content-Type: text/plain\r\n\r\n", GOOD)
        assert [name for name, _ in headers] == [b"host", b"transfer-encoding"]
        assert connection.transport.sent.count(b"200 OK") == 2

    run(test)


@pytest.mark.parametrize(
    "endless", [b"0\r\n" + b"x:y\r\n" * 40_000, b"0\r\nx:" + b"y" * 200_000, b"1;" + b"y" * 200_000]
)
def test_what_is_around_chunks_is_bounded(endless: bytes) -> None:
    async def test(connection: Connection) -> None:
        protocol, transport = connection.protocol, connection.transport
        pieces = iter([CHUNKED, *(endless[at : at + 1_000] for at in range(0, len(endless), 1_000))])
        taken = 0
        while not transport.closed:
            protocol.data_received(piece := next(pieces))
            taken += len(piece)
        assert taken < HEAD_LIMIT_BYTES + 2_000

    run(test)


def test_chunks_may_be_as_small_as_they_like() -> None:
    async def test(connection: Connection) -> None:
        pieces = [CHUNKED, *[b"1\r\nx\r\n"] * 40_000, b"0\r\n\r\n", GOOD]
        assert (await connection.say(*pieces)).sent.count(b"200 OK") == 2

    run(test)


@pytest.mark.parametrize("rest", [b"", b"bcd"])
def test_what_has_its_answer_has_a_while_to_say_the_rest(
    monkeypatch: pytest.MonkeyPatch, rest: bytes
) -> None:
    async def test(connection: Connection) -> None:
        monkeypatch.setattr(connections, "REST_TIMEOUT_S", 0.02)
        connection.reads = False
        await connection.say(b"POST /a HTTP/1.1\r\nHost: api\r\nContent-Length: 4\r\n\r\na")
        assert connection.transport.sent.count(b"200 OK") == 1
        if rest:
            await connection.say(rest, GOOD)
            await asyncio.sleep(0.04)
        else:
            await connection.until(lambda: connection.transport.closed)
        assert connection.transport.closed != bool(rest)
        assert connection.transport.sent.count(b"200 OK") == 1 + bool(rest)

    run(test)


@pytest.mark.parametrize("said", [(), (GOOD[:-1],), (GOOD, b"G")])
def test_a_head_that_takes_too_long_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, said: tuple[bytes, ...]
) -> None:
    async def test(connection: Connection) -> None:
        monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", 0.0)
        connection.protocol.connection_made(connection.transport)
        transport = await connection.say(*said)
        await connection.until(lambda: transport.closed)
        assert len(connection.asked) == said.count(GOOD)

    run(test)


def test_a_whole_head_stops_the_clock() -> None:
    async def test(connection: Connection) -> None:
        await connection.say(GOOD)
        assert connection.protocol._head._handle is None

    run(test)


def test_who_takes_no_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(connection: Connection) -> None:
        connection.protocol.pause_writing()
        connection.protocol.resume_writing()
        assert connection.protocol._send._handle is None
        monkeypatch.setattr(connections, "SEND_TIMEOUT_S", 0.0)
        connection.protocol.pause_writing()
        await connection.until(lambda: connection.transport.aborted)

    run(test)


def test_what_we_keep_waiting_ourselves_is_not_late() -> None:
    async def test(connection: Connection) -> None:
        connection.protocol.flow.pause_reading()
        connection.protocol._head_is_late()
        assert not connection.transport.closed
        connection.protocol.flow.resume_reading()
        connection.protocol._head_is_late()
        assert connection.transport.closed

    run(test)
