"""Connections without a network: what callers say, in bytes, and what they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from uvicorn.config import Config
from uvicorn.server import ServerState

from bento.app import Api
from bento.connections import BoundedHttp
from bento.fast_path import Exchange
from bento.routing import Direct


class FakeTransport(asyncio.Transport):
    """Remembers what was sent, and how it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = self.aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 4711)}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closed:
            self.sent += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Wire:
    """A connection to the API as `bentoml serve` has it; `fast=False`: nothing is served below ASGI."""

    def __init__(self, api: Api, *, fast: bool = True, **options: Any) -> None:
        direct = Direct(Starlette(), api)

        async def over_asgi(scope: Any, receive: Any, send: Any) -> None:
            await direct(scope, receive, send)

        app = direct if fast else over_asgi
        config = Config(app, lifespan="off", log_config=None, **options)
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        self.transport = FakeTransport()
        self.protocol = BoundedHttp(config, state, {})
        self.protocol.connection_made(self.transport)

    @property
    def is_fast(self) -> bool:
        """Whether the last call went below ASGI."""
        return isinstance(self.protocol.cycle, Exchange)

    @property
    def is_busy(self) -> bool:
        if self.protocol.server_state.tasks:
            return True
        cycle = self.protocol.cycle
        waits = cycle is not None and not cycle.response_complete
        return not self.transport.closed and (waits or bool(self.protocol.pipeline))

    def hear(self, piece: bytes) -> None:
        if not self.transport.closed:
            self.protocol.data_received(piece)

    async def say(self, *pieces: bytes) -> bytes:
        """What is answered to whole calls."""
        for piece in pieces:
            self.hear(piece)
        await until(lambda: not self.is_busy)
        return self.transport.sent

    def leave(self) -> None:
        self.protocol.connection_lost(None)


async def until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(0)


def request(body: bytes = b"", *headers: str, line: str = "POST /api/v1/predict HTTP/1.1") -> bytes:
    """As most clients send it; `headers` are added."""
    said = [line, "Host: api", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*said, "", ""]).encode("latin-1") + body
