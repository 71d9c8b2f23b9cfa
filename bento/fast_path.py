"""The way past ASGI for calls of one route: no scope, no task, no messages, one write.

Over ASGI a call costs more than its answer does: a task, an event, dicts and lists that the next layer looks
at once. A request that is nothing out of the ordinary, and comes whole, is handed to `FastCalls` from the
parser's own callback, and answered from a future's. Every other goes over ASGI; tests hold both ways to
the same bytes.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from bento.context import Headers
from bento.headers import Raw
from bento.replies import Reply
from bento.upgrades import NoUpgrades

_ASIDE = frozenset({b"transfer-encoding", b"x-forwarded-for"})
"""Headers that send a request over ASGI: lengths that are not said, and proxies, whom uvicorn knows."""


class Answer(Protocol):
    """Takes the answer of a call, with the headers that every answer has; hangs up then where it `closes`."""

    def __call__(self, reply: Reply, headers: Raw, *, closes: bool) -> None: ...


class FastCalls(Protocol):
    """What serves a route below ASGI: `FastPredict`."""

    def start(self, headers: Headers, address: str, body: bytes, answer: Answer) -> None: ...


class FastRoutes(Protocol):
    """An ASGI app that has such routes, by their methods and targets."""

    fast: dict[tuple[bytes, bytes], FastCalls]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class FastPath(NoUpgrades):
    """Knows which requests are plain, and keeps them from uvicorn's machinery."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._routes = routes_of(self.config)
        self._calls: FastCalls | None = None
        """What the request that is being read is for, while it is plain."""
        self._body = b""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._calls is not None:
            self._give_way()

    def on_headers_complete(self) -> None:
        self._calls, self._body = self._plain(), b""
        if self._calls is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._calls is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        if self._calls is None:
            super().on_message_complete()
            return
        calls, self._calls = self._calls, None
        exchange = Exchange(self, keep_alive=self.parser.should_keep_alive() and not self.ends)
        self.cycle = cast("RequestResponseCycle", exchange)
        calls.start(Headers(self.headers), self.client[0] if self.client else "", self._body, exchange.answer)

    def _give_way(self) -> None:
        """The rest of it is still to come, and there are clocks for that over ASGI."""
        self._calls = None
        super().on_headers_complete()
        if self._body:
            super().on_body(self._body)

    def _plain(self) -> FastCalls | None:
        """What serves the request whose head has come; None: over ASGI."""
        calls = self._routes.get((self.parser.get_method(), self.url))
        is_plain = (
            calls is not None
            and (self.cycle is None or self.cycle.response_complete)
            and not (self.expect_100_continue or self.flow.write_paused or self.parser.should_upgrade())
            and self.parser.get_http_version() == "1.1"
            and _ASIDE.isdisjoint([name for name, _ in self.headers])
        )
        return calls if is_plain else None


class _Nobody:
    """Whom uvicorn wakes when something happens to a call: nobody waits below ASGI."""

    def set(self) -> None: ...


class Exchange:
    """A call on its way, as uvicorn knows one: what comes after it on its connection waits for its answer.

    uvicorn sets `disconnected` where the caller has left, and takes `keep_alive` back when it shuts down.
    """

    __slots__ = ("_protocol", "disconnected", "keep_alive", "response_complete")
    message_event = _Nobody()

    def __init__(self, protocol: FastPath, *, keep_alive: bool) -> None:
        self._protocol = protocol
        self.keep_alive = keep_alive
        self.disconnected = self.response_complete = False

    def answer(self, reply: Reply, headers: Raw, *, closes: bool) -> None:
        """An `Answer`."""
        self.response_complete = True
        if self.disconnected:
            return
        protocol, transport = self._protocol, self._protocol.transport
        if not transport.is_closing():
            transport.write(protocol.on_wire(reply, headers, closes=not self.keep_alive))
        if not self.keep_alive:
            transport.close()
        protocol.on_response_complete()
        if closes:
            transport.close()


def routes_of(config: Config) -> dict[tuple[bytes, bytes], FastCalls]:
    """Of the app that is served; none where uvicorn has to look at each request itself."""
    if config.root_path or config.limit_concurrency is not None:
        return {}
    found: dict[tuple[bytes, bytes], FastCalls] = getattr(config.app, "fast", {})
    return found
