"""What surrounds every request: its id, its time, its count, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bdp_assets.observability.metrics import API_REQUEST_DURATION, API_REQUESTS
from bento.context import Context, headers_in, place
from bento.headers import headers_of
from bento.requests import request_id


class Frame:
    """ASGI middleware: gives the request its `Context`, answers with the id and headers of that, measures.

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
        headers = headers_in(scope)
        context = Context(request_id(headers.get("x-request-id")), headers)
        place(scope, context)
        status = 500

        async def framed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *headers_of(scope["path"]),
                    (b"x-request-id", context.request_id.encode()),
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in context.answer_headers.items()
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
