"""Offers of another protocol (h2c, WebSocket) are passed over, and their requests served: RFC 9110, 7.8.

httptools takes such a request's head for its end, and uvicorn hands the connection to a WebSocket library or
drops the body. Java's own client offers h2c with every call.
"""

from __future__ import annotations

from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bento import replies
from bento.context import Headers
from bento.errors import ApiError, no_request
from bento.frame import OTHER, Framed
from bento.headers import Raw
from bento.replies import Reply


class NoUpgrades(HttpToolsProtocol):
    """Reads a head with an offer once more, without it, and goes on behind it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ws_protocol_class = None
        self.ends = False
        """Whether the answer to what comes now is the connection's last."""

    def data_received(self, data: bytes) -> None:
        """As uvicorn does it, but for offers."""
        self._unset_keepalive_if_required()
        rest: bytes | memoryview = data
        try:
            while rest:
                rest = self._behind_offer(rest)
        except HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.refuse(no_request())

    def refuse(self, refusal: ApiError) -> None:
        """Answer as any other request that is refused, and hang up. Its headers count for nothing."""
        if self.transport.is_closing():
            return
        framed = Framed(Headers(()))
        reply = replies.refused(refusal, framed.context.request_id)
        self.transport.write(self.on_wire(reply, framed.headers(""), closes=True))
        self.transport.close()
        framed.end("", OTHER, reply.status)

    def on_wire(self, reply: Reply, headers: Raw, *, closes: bool) -> bytes:
        """A whole answer, as uvicorn writes one; `headers` are those that every answer of ours has."""
        said = (*self.server_state.default_headers, *reply.headers, *headers)
        lines = [b"%b: %b\r\n" % one for one in said]
        end = b"connection: close\r\n\r\n" if closes else b"\r\n"
        return b"".join([STATUS_LINE[reply.status], *lines, end, reply.body])

    def on_headers_complete(self) -> None:
        if self._is_offer():
            return
        super().on_headers_complete()
        if self.parser.should_upgrade():  # CONNECT: what comes behind it was meant for a tunnel.
            self.ends = True
        if self.ends:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        if not self._is_offer():
            super().on_message_complete()

    def _behind_offer(self, data: bytes | memoryview) -> bytes | memoryview:
        """Read it up to the first head with an offer, and return what is still to be read."""
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as end:
            if self._is_offer():
                self._read_again()
                return memoryview(data)[end.args[0] :]
        return b""

    def _is_offer(self) -> bool:
        """Whether the head that has come has one; to httptools a CONNECT looks the same."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _read_again(self) -> None:
        """By a new parser: one that was told of the connection's end would hear nothing more."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = [b"%b: %b" % one for one in self.headers if one[0] != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # As uvicorn's.
        self.parser.feed_data(
            b"\r\n".join([b"%b %b HTTP/%b" % (method, self.url, version), *headers, b"", b""])
        )
