"""What surrounds every request: its id, its time, its count, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bdp_assets.observability.metrics import API_REQUEST_DURATION, API_REQUESTS
from bento.headers import headers_of
from bento.requests import request_id


class Frame:
    """ASGI middleware: gives `request.state.request_id`, answers with it and with `answer_headers`, measures.

    `routes` are the paths that metrics may name, by their endpoints; any other is `other`, for callers choose
    paths at will.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[Any, str]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        identity = request_id(Headers(scope=scope).get("x-request-id"))
        state = scope.setdefault("state", {})
        state["request_id"], state["answer_headers"] = identity, {}
        status = 500

        async def framed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *headers_of(scope["path"]),
                    (b"x-request-id", identity.encode()),
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in state["answer_headers"].items()
                    ),
                ]
            await send(message)

        try:
            await self._app(scope, receive, framed_send)
        finally:
            route = self._routes.get(scope.get("endpoint"), "other")
            count, duration = _metrics(route, status)
            count.inc()
            duration.observe(perf_counter() - started)


@cache  # Looking them up takes as long as counting; there are few.
def _metrics(route: str, status: int) -> tuple[Counter, Histogram]:
    return API_REQUESTS.labels(route, status), API_REQUEST_DURATION.labels(route)
