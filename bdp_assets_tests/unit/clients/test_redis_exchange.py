"""What travels when: blocks, answers in order, errors among them, and connections that break."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, ResponseError, TimeoutError
from redis.retry import Retry

from bdp_assets.clients.redis_exchange import BLOCK, Posted, exchange
from bdp_assets_tests.effort import cases


class Echo:
    """A connection and its pool: each command `GET number` is answered by its number, 13 by an error."""

    def __init__(self, breaks: Sequence[BaseException] = (), refuses: Sequence[BaseException] = ()) -> None:
        self.retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
        self.breaks, self.refuses = list(breaks), list(refuses)
        self.waiting: list[bytes] = []
        self.most_under_way = 0
        self.events: list[str] = []

    def get_connection(self) -> Echo:
        return self

    def release(self, _: Echo) -> None:
        self.events.append("release")

    def disconnect(self) -> None:
        self.events.append("disconnect")
        self.waiting.clear()

    def send_packed_command(self, packed: Sequence[bytes]) -> None:
        self.events.append("send")
        if self.refuses:
            raise self.refuses.pop()
        self.waiting += b"".join(packed).split(b"\r\n")[4::5]
        self.most_under_way = max(self.most_under_way, len(self.waiting))

    def read_response(self) -> bytes:
        if self.breaks:
            raise self.breaks.pop()
        number = self.waiting.pop(0)
        if number == b"13":
            raise ResponseError(number)
        return number


def client(connection: Echo) -> Any:
    made = redis.Redis()
    made.connection_pool = connection  # type: ignore[assignment]
    return made


def asked(count: int) -> list[tuple[str, int]]:
    return [("GET", number) for number in range(count)]


def told(replies: Sequence[Any]) -> list[bytes]:
    return [reply.args[0] if isinstance(reply, ResponseError) else reply for reply in replies]


def expected(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@given(st.one_of(st.integers(0, 5 * BLOCK), st.integers(-1, 5).map(lambda n: max(0, n * BLOCK + 1))))
@settings(max_examples=cases(60))
def test_answers_come_in_order_and_two_blocks_at_most_are_under_way(count: int) -> None:
    connection = Echo()
    replies = exchange(client(connection), asked(count))
    assert told(replies) == expected(count)
    assert isinstance(dict(enumerate(replies)).get(13, ResponseError()), ResponseError)
    assert connection.most_under_way == min(count, 2 * BLOCK)
    sends = max(1, -(-count // BLOCK) - 1)
    happened = [*["send"] * sends, "release"] if count else []
    assert connection.events == happened


def test_a_connection_that_breaks_is_asked_again_once() -> None:
    connection = Echo([ConnectionError("closed")])
    replies = exchange(client(connection), asked(20))
    assert told(replies) == expected(20)
    assert connection.events == ["send", "disconnect", "send", "release"]
    with pytest.raises(ConnectionError):
        exchange(client(Echo([ConnectionError("closed")] * 2)), asked(20))


def test_a_connection_in_an_unknown_state_is_closed_before_it_goes_back() -> None:
    slow, stopped = Echo([TimeoutError("slow")]), Echo([KeyboardInterrupt()])
    with pytest.raises(TimeoutError):
        exchange(client(slow), asked(3))
    with pytest.raises(KeyboardInterrupt):
        exchange(client(stopped), asked(3))
    assert slow.events == stopped.events == ["send", "disconnect", "release"]


def test_commands_are_on_their_way_before_anybody_asks_for_their_answers() -> None:
    connection = Echo()
    posted = Posted(client(connection), asked(3))
    assert connection.events == ["send"]
    assert posted.replies() == expected(3)
    posted.close()
    assert connection.events == ["send", "release"]


def test_answers_that_nobody_asks_for_are_not_left_for_the_next_call() -> None:
    connection = Echo()
    posted = Posted(client(connection), asked(3))
    posted.close()
    posted.close()
    assert connection.events == ["send", "disconnect", "release"]


def test_a_connection_that_fell_while_nobody_used_it_is_opened_again() -> None:
    connection = Echo(refuses=[ConnectionError("closed")])
    assert Posted(client(connection), asked(3)).replies() == expected(3)
    assert connection.events == ["send", "disconnect", "send", "release"]


def test_a_server_that_takes_nothing_in_is_noticed_at_once() -> None:
    connection = Echo(refuses=[TimeoutError("slow")])
    with pytest.raises(TimeoutError):
        Posted(client(connection), asked(3))
    assert connection.events == ["send", "disconnect", "release"]
