"""A call as bytes, and a connection that sends what no client library would."""

from __future__ import annotations

import socket
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple

from bdp_assets.contracts.pan import mask_pans
from bdp_assets.settings import LOOPBACK

_PATIENCE_S = 30.0
_NO_KEY = bytes(32)
"""For masks that nobody compares with others."""

Headers = tuple[tuple[bytes, bytes], ...]
JSON: Headers = ((b"Content-Type", b"application/json"),)


class Call(NamedTuple):
    method: str
    target: bytes
    headers: Headers = JSON
    body: bytes = b""

    @property
    def content(self) -> bytes:
        """The whole request. Its length is as it is, unless a header says another."""
        headers = self.headers
        if not any(name.lower() == b"content-length" for name, _ in headers):
            headers = (*headers, (b"Content-Length", b"%d" % len(self.body)))
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), self.target), b"Host: localhost"]
        lines += [b"%s: %s" % header for header in headers]
        return b"\r\n".join([*lines, b"", self.body])

    @property
    def shown(self) -> bytes:
        """For people: card numbers masked."""
        return mask_pans(self.content, _NO_KEY).value


class Answer(NamedTuple):
    status: int
    head: bytes
    body: bytes


class NoAnswer(Exception):  # noqa: N818 - read as what it is
    """The service closed the connection, or was silent, where it owes an answer."""


class Connection:
    """Kept alive as long as the service does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, call: Call) -> Answer:
        """Raises NoAnswer."""
        fresh = self._socket is None
        try:
            return self._asked(call)
        except (OSError, HTTPException) as error:
            self.close()
            if fresh:
                raise NoAnswer(type(error).__name__) from error
        return self.ask(
            call
        )  # A connection that was idle may be closed under our hands: once more on a new one.

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _asked(self, call: Call) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection((LOOPBACK, self._port), timeout=_PATIENCE_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BrokenPipeError, ConnectionResetError):  # It may have answered before it had all.
            self._socket.sendall(call.content)
        response = HTTPResponse(self._socket, method=call.method)
        response.begin()
        answer = Answer(response.status, response.headers.as_bytes(), response.read())
        if response.will_close:
            self.close()
        return answer
