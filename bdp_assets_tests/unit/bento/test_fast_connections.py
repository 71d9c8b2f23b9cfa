"""What a server owes whoever calls, also below ASGI: order, an end in time, an answer before it stops."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Callable
from typing import Any

import pytest

from bdp_assets_tests.unit.bento.conftest import body
from bdp_assets_tests.unit.bento.fakes import FakeStore
from bdp_assets_tests.unit.bento.ways import Ways
from bdp_assets_tests.unit.bento.wire import request, until
from bento import connections

GOOD = request(body(1))


def run(test: Callable[[], Any]) -> None:
    asyncio.run(test())


def test_no_task_is_made(ways: Ways) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True)
        wire.hear(GOOD)
        assert wire.is_busy
        assert not wire.protocol.server_state.tasks
        await wire.say()
        assert wire.protocol.server_state.total_requests == 1

    run(test)


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        request(b"{}"),
        request(body(1), "Content-Encoding: br"),
        request(body(1), "Connection: Upgrade", "Upgrade: h2c"),
    ],
)
def test_nothing_is_left_for_the_garbage_collector(ways: Ways, said: bytes) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True)
        await wire.say(said)
        gc.collect()
        gc.disable()
        try:
            await wire.say(said)
            assert gc.collect() == 0
        finally:
            gc.enable()

    run(test)


def test_what_comes_behind_a_call_waits_for_its_answer(ways: Ways) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True)
        first, second = (request(body(number), f"X-Request-Id: r-{number}") for number in (1, 2))
        wire.hear(first + request(line="GET /api/v1/model HTTP/1.1") + second[:50])
        assert wire.protocol.flow.read_paused
        sent = await wire.say(second[50:])
        assert re.findall(rb'"request_id":"(r-\d)"', sent) == [b"r-1", b"r-2"]
        assert sent.index(b"r-1") < sent.index(b"feature_names") < sent.index(b"r-2")

    run(test)


def test_who_left_is_not_answered_but_decided(ways: Ways, store: FakeStore) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True)
        wire.hear(GOOD)
        wire.leave()
        await until(lambda: bool(store.decisions))
        await until(lambda: wire.protocol.cycle.response_complete)
        assert wire.transport.sent == b""

    run(test)


@pytest.mark.parametrize("fast", [True, False])
def test_who_has_no_more_to_say_still_hears_the_answers(ways: Ways, fast: bool) -> None:
    async def test() -> None:
        wire = ways.wire(fast=fast)
        wire.hear(GOOD + request(body(2)) + GOOD[:10])
        assert wire.protocol.eof_received()
        sent = await wire.say()
        assert sent.count(b"fraud_probability") == 2
        assert sent.count(b"connection: close") == 1
        assert wire.transport.closed

    run(test)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("said", [b"", GOOD[:10], GOOD[:-1]])
def test_who_leaves_before_a_call_is_whole_hears_nothing(ways: Ways, said: bytes, fast: bool) -> None:
    async def test() -> None:
        wire = ways.wire(fast=fast)
        wire.hear(said)
        assert not wire.protocol.eof_received()
        wire.leave()
        assert wire.transport.sent == b""

    run(test)


@pytest.mark.parametrize("fast", [True, False])
def test_a_server_that_stops_answers_what_is_under_way_or_comes_at_that_moment(
    ways: Ways, monkeypatch: pytest.MonkeyPatch, *, fast: bool
) -> None:
    monkeypatch.setattr(connections, "STOP_LISTEN_S", 0.01)

    async def test() -> None:
        silent, late, asked = (ways.wire(fast=fast) for _ in range(3))
        for wire in (silent, late):
            await wire.say(GOOD)
        asked.hear(GOOD)
        for wire in (silent, late, asked):
            wire.protocol.shutdown()
            assert not wire.transport.closed
        for wire, answers in ((asked, 1), (late, 2)):
            sent = await wire.say(*[GOOD] * (answers - 1))
            assert (sent.count(b" 200 OK"), sent.count(b"connection: close\r\n")) == (answers, 1)
            assert wire.transport.closed
            wire.leave()
        await until(lambda: silent.transport.closed)

    run(test)


def test_a_server_that_stops_waits_for_nobody_without_end(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STOP_TIMEOUT_S", 0.01)

    async def test() -> None:
        wire = ways.wire(fast=True)
        wire.hear(GOOD[:-1])
        wire.protocol.shutdown()
        await until(lambda: wire.transport.aborted)
        wire.leave()
        await until(lambda: not wire.is_busy)
        assert wire.transport.sent == b""

    run(test)


def test_an_idle_connection_ends_and_a_busy_one_does_not(ways: Ways) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True, timeout_keep_alive=0)
        wire.hear(GOOD)
        assert wire.protocol.timeout_keep_alive_task is None
        await wire.say()
        await until(lambda: wire.transport.closed)

    run(test)


def test_who_takes_no_answers_gets_no_more_before(ways: Ways) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True)
        wire.protocol.pause_writing()
        wire.hear(GOOD)
        assert not wire.is_fast
        wire.protocol.resume_writing()
        assert b" 200 OK" in await wire.say()
        wire.leave()

    run(test)


@pytest.mark.parametrize("options", [{"limit_concurrency": 5}, {"root_path": "/below"}])
def test_where_uvicorn_looks_at_each_call_all_go_over_asgi(ways: Ways, options: dict[str, Any]) -> None:
    async def test() -> None:
        wire = ways.wire(fast=True, **options)
        await wire.say(GOOD)
        assert not wire.is_fast

    run(test)


@pytest.mark.parametrize("fast", [True, False])
def test_what_names_no_path_is_answered_as_every_other(ways: Ways, fast: bool) -> None:
    async def test() -> None:
        sent = await ways.wire(fast=fast).say(request(b"", "X-Request-Id: mine", line="OPTIONS * HTTP/1.1"))
        assert sent.startswith(b"HTTP/1.1 404 ")
        assert b"x-request-id: mine" in sent
        assert b"x-content-type-options: nosniff" in sent

    run(test)
