"""Bounds on connections that uvicorn does not have: size and time of a head, time of sending and of a stop.

httptools takes heads and trailers of any size, and uvicorn waits for one without end: a few thousand slow
connections would keep all file descriptors. `service.py` puts this in the place of uvicorn's own choice.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any, cast

from bento.context import note_whole
from bento.errors import ApiError, coding_unknown, head_too_large, no_request
from bento.fast_path import FastPath

HEAD_LIMIT_BYTES = 64 * 1024
HEAD_TIMEOUT_S = 10.0
REST_TIMEOUT_S = 10.0
"""For the rest of a call that was answered before it had come, such as a body that is too long."""
SEND_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
"""For calls that are under way when the server stops; uvicorn's own bound would answer them 500."""
STOP_LISTEN_S = 1.0
"""How long an idle connection stays open in a stop: closed at once, a call in the socket would be reset."""


class BoundedHttp(FastPath):
    """Closes connections that say too much before the body, or take too long to say or to take something."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        """Of a head that is not whole yet."""
        self._came_bytes = 0
        """At least what its head has, of the message that is being read."""
        self._unused_bytes = 0
        """Came behind a head since the last of its body: what is around chunks, and trailers."""
        self._in_head = True
        self._in_message = False
        self._head = Timer(self.loop, self._head_is_late)
        self._rest = Timer(self.loop, self._leave)
        self._send = Timer(self.loop, self._leave)
        self._stop = Timer(self.loop, self._leave)
        self._listen = Timer(self.loop, super().shutdown)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head.start(HEAD_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head.stop()
        self._rest.stop()
        self._send.stop()
        self._stop.stop()
        self._listen.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._head_bytes
        self._came_bytes = before + len(data)
        self._unused_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes = before + len(data)
            if not self._head.runs:
                self._head.start(HEAD_TIMEOUT_S)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._refuse()
        elif self._in_message and self._unused_bytes > HEAD_LIMIT_BYTES:
            self._leave()  # It may have its answer already.

    def eof_received(self) -> bool:  # type: ignore[override]
        """Who has no more to say (`shutdown(SHUT_WR)`) still hears what becomes of calls that came whole."""
        is_in_body = self._in_message and not self._in_head
        is_due = self.cycle is not None and not self.cycle.response_complete and not is_in_body
        if is_due:
            self.ends = True
            self.cycle.keep_alive = False
        return is_due

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._in_message, self._head_bytes = True, True, 0
        self._head.stop()  # It begins anew where the head does not end with what has come.

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # Trailers are passed over: RFC 9110, 6.5.1.
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes, self._unused_bytes = False, 0, 0
        self._head.stop()
        if self.transport.is_closing():
            return
        if self._came_bytes > HEAD_LIMIT_BYTES and self._said_bytes() > HEAD_LIMIT_BYTES:
            self._refuse()
            return
        fault = self._fault()
        if fault is not None:
            self.refuse(fault)
            return
        super().on_headers_complete()

    def _fault(self) -> ApiError | None:
        """What RFC 9112 has us refuse and httptools takes: other hosts than one (3.2), codings that we do not
        know (6.1). A caller of HTTP/1.0 need not name a host."""
        hosts = 0
        codings: list[bytes] = []
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding":
                codings.append(value.strip().lower())
        if hosts > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            return no_request()
        return None if codings in ([], [b"chunked"]) else coding_unknown()

    def _said_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        self._unused_bytes = 0
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        self._rest.stop()
        if not self.transport.is_closing():
            note_whole(cast("dict[str, Any]", self.scope))
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_message and self.cycle.response_complete:
            self._rest.start(REST_TIMEOUT_S)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._send.start(SEND_TIMEOUT_S)

    def resume_writing(self) -> None:
        self._send.stop()
        super().resume_writing()

    def shutdown(self) -> None:
        """Have what was sent by now answered, in time, and nothing after it."""
        self.ends = True
        self._stop.start(STOP_TIMEOUT_S)
        if self.cycle is None or self.cycle.response_complete:
            self._listen.start(STOP_LISTEN_S)
        else:
            super().shutdown()

    def _head_is_late(self) -> None:
        if (
            self.flow.read_paused
        ):  # By us: it can not come before the calls that were sent ahead of it are done.
            self._head.start(HEAD_TIMEOUT_S)
        else:
            self.transport.close()

    def _leave(self) -> None:
        self.transport.abort()

    def _refuse(self) -> None:
        self.refuse(head_too_large(HEAD_LIMIT_BYTES))


class Timer:
    """Calls back once, unless stopped or started anew."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: TimerHandle | None = None

    def start(self, seconds: float) -> None:
        self.stop()
        self._handle = self._loop.call_later(seconds, self._callback)

    @property
    def runs(self) -> bool:
        return self._handle is not None

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
