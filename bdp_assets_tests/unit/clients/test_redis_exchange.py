"""What travels when: blocks, answers in order, errors among them, and connections that break."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from redis._parsers import Encoder, _HiredisParser
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, ResponseError, TimeoutError
from redis.retry import Retry

from bdp_assets.clients.redis_exchange import BLOCK, Posted, answers, exchange
from bdp_assets_tests.effort import cases


class Echo:
    """A connection, its pool and its socket, from which redis-py's parser reads: each command `GET number` is
    answered by its number, 13 by an error. Each read brings one of `waiting`; or breaks."""

    def __init__(
        self,
        breaks: Sequence[BaseException] = (),
        refuses: Sequence[BaseException] = (),
        waiting: Sequence[bytes] = (),
    ) -> None:
        self.retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
        self.breaks, self.refuses = list(breaks), list(refuses)
        self.waiting = list(waiting)
        self.most_under_way = 0
        self.events: list[str] = []
        self.encoder = Encoder("utf-8", "strict", decode_responses=False)  # type: ignore[no-untyped-call]
        self.socket_timeout = 1.0
        self._sock = self
        self._parser = _HiredisParser(socket_read_size=65_536)  # type: ignore[no-untyped-call]
        self._parser.on_connect(self)  # type: ignore[no-untyped-call]

    def get_connection(self) -> Echo:
        return self

    def release(self, _: Echo) -> None:
        self.events.append("release")

    def disconnect(self) -> None:
        self.events.append("disconnect")
        self.waiting.clear()
        self._parser.on_disconnect()  # type: ignore[no-untyped-call]

    def send_packed_command(self, packed: Sequence[bytes]) -> None:
        if "disconnect" in self.events:
            self._parser.on_connect(self)  # type: ignore[no-untyped-call]
        self.events.append("send")
        if self.refuses:
            raise self.refuses.pop()
        self.waiting += map(reply, b"".join(packed).split(b"\r\n")[4::5])
        self.most_under_way = max(self.most_under_way, len(self.waiting))

    def recv_into(self, buffer: bytearray) -> int:
        if self.breaks:
            raise self.breaks.pop()
        piece = self.waiting.pop(0) if self.waiting else b""
        buffer[: len(piece)] = piece
        return len(piece)


def reply(number: bytes) -> bytes:
    return b"-ERR 13\r\n" if number == b"13" else b"$%d\r\n%b\r\n" % (len(number), number)


def client(connection: Echo) -> Any:
    made = redis.Redis()
    made.connection_pool = connection  # type: ignore[assignment]
    return made


def asked(count: int) -> list[tuple[str, int]]:
    return [("GET", number) for number in range(count)]


def told(replies: Sequence[Any]) -> list[bytes]:
    return [b"13" if isinstance(reply, ResponseError) else reply for reply in replies]


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


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), ConnectionError("refused")])
def test_a_connection_that_breaks_is_asked_again_once(error: Exception) -> None:
    connection = Echo([error])
    replies = exchange(client(connection), asked(20))
    assert told(replies) == expected(20)
    assert connection.events == ["send", "disconnect", "send", "release"]
    with pytest.raises(ConnectionError):
        exchange(client(Echo([error] * 2)), asked(20))


def test_a_connection_that_the_server_closes_or_another_thread_is_broken() -> None:
    with pytest.raises(ConnectionError):
        answers(Echo(waiting=[b":1\r\n"]), 2)
    closed = Echo()
    closed.disconnect()
    with pytest.raises(ConnectionError):
        answers(closed, 1)


def test_a_connection_in_an_unknown_state_is_closed_before_it_goes_back() -> None:
    slow, stopped = Echo([builtins.TimeoutError("slow")]), Echo([KeyboardInterrupt()])
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


@pytest.mark.parametrize("error", [b"-LOADING\r\n", b"-ERR max number of clients reached\r\n"])
def test_a_server_that_takes_no_commands_is_not_reachable(error: bytes) -> None:
    with pytest.raises(ConnectionError):
        answers(Echo(waiting=[b":1\r\n" + error]), 2)


WHOLE = st.recursive(
    st.one_of(
        st.binary(max_size=20).map(lambda text: b"$%d\r\n%b\r\n" % (len(text), text)),
        st.integers(-(2**63), 2**63 - 1).map(lambda number: b":%d\r\n" % number),
        st.sampled_from([b"+OK\r\n", b"$-1\r\n", b"_\r\n", b"*-1\r\n"]),
        st.sampled_from([b"-ERR wrong\r\n", b"-NOSCRIPT none\r\n", b"-MOVED 1 127.0.0.1:6379\r\n"]),
    ),
    lambda one: st.lists(one, max_size=4).map(lambda many: b"*%d\r\n%b" % (len(many), b"".join(many))),
    max_leaves=8,
)
PUSHED = st.just(b">2\r\n+invalidate\r\n*0\r\n")


@given(st.lists(st.tuples(st.lists(PUSHED, max_size=1), WHOLE), max_size=12), st.integers(1, 40))
@settings(max_examples=cases(200))
def test_replies_are_those_that_redis_py_reads_one_by_one(
    said: list[tuple[list[bytes], bytes]], size: int
) -> None:
    """However they are cut, and whatever else the server tells between them."""
    wire = b"".join(b"".join([*pushed, whole]) for pushed, whole in said)
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    ours, theirs = Echo(waiting=pieces), Echo(waiting=pieces)
    one_by_one = [theirs._parser.read_response() for _ in said]
    assert repr(answers(ours, len(said))) == repr(one_by_one)
    assert ours.waiting == theirs.waiting == []
