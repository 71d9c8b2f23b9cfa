"""HTTP/1.1 with as little as can be done: a driver shares the machine with what it measures.

It knows what servers of ours and haproxy answer: a head, and a body of `Content-Length` bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

NO_STATUS = 0
"""Refused, hung up, or given up."""
_END = b"\r\n\r\n"
_LENGTH, _CLOSES = b"\r\ncontent-length:", b"\r\nconnection: close"


def post(host: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A whole request, with a body of JSON."""
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{more}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class HttpConnection:
    """One call at a time on a connection that stays open, and is opened anew where the server closed it.

    `answered(connection, status, body)` ends each call; the status is 0 where there is no answer.
    """

    def __init__(self, host: str, port: int, answered: Callable[[HttpConnection, int, bytes], None]) -> None:
        self._host, self._port, self._answered = host, port, answered
        self._wire: _Wire | None = None
        self._opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        _, self._wire = await loop.create_connection(lambda: _Wire(self), self._host, self._port)

    def ask(self, request: bytes) -> None:
        """Begin a call; a new connection is part of it."""
        if self._wire is None:
            self._opening = asyncio.ensure_future(self._open_and_ask(request))
        else:
            self._wire.ask(request)

    def give_up(self) -> None:
        """End the call that is under way without an answer."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self.close()
        self._answered(self, NO_STATUS, b"")

    def close(self) -> None:
        """Without a word to anybody."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.transport.abort()

    async def _open_and_ask(self, request: bytes) -> None:
        try:
            await self.open()
        except OSError:
            self._opening = None
            self._answered(self, NO_STATUS, b"")
            return
        self._opening = None
        self.ask(request)

    def _ended(self, wire: _Wire, status: int, body: bytes, *, closes: bool) -> None:
        """An answer is whole; the wire may be one that was given up."""
        if wire is not self._wire:
            return
        if closes:
            self.close()
        self._answered(self, status, body)

    def _lost(self, wire: _Wire, *, was_asked: bool) -> None:
        if wire is not self._wire:
            return
        self._wire = None
        if was_asked:
            self._answered(self, NO_STATUS, b"")


class _Wire(asyncio.Protocol):
    """One TCP connection."""

    transport: asyncio.Transport

    def __init__(self, owner: HttpConnection) -> None:
        self._owner = owner
        self._received = b""
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def ask(self, request: bytes) -> None:
        self._received, self._asked = b"", True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if not self._asked:
            return  # Some servers say why before they close an idle connection.
        self._received += data
        end = self._received.find(_END)
        if end < 0:
            return
        start = end + len(_END)
        told = self._received[:end].lower()
        length = _length(told)
        if len(self._received) < start + length:
            return
        self._asked = False
        # Without a length the body ends with the connection; the status is what matters of such an answer.
        closes = _CLOSES in told or _LENGTH not in told
        self._owner._ended(self, _status(told), self._received[start : start + length], closes=closes)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner._lost(self, was_asked=self._asked)


def _status(told: bytes) -> int:
    word = told[9:12]
    return int(word) if word.isdigit() else NO_STATUS


def _length(told: bytes) -> int:
    _, found, rest = told.partition(_LENGTH)
    number = rest.split(b"\r\n", 1)[0].strip()
    return int(number) if found and number.isdigit() else 0
