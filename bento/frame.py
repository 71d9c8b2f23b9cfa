"""What surrounds every request: its id, trace, time and count, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bdp_assets.observability import trace_context, tracing
from bdp_assets.observability.metrics import API_REQUEST_DURATION, API_REQUESTS
from bdp_assets.observability.traced_batch import Attributes, Span
from bento.context import Context, Headers, place
from bento.headers import Raw, headers_of, raw
from bento.requests import request_id, traceparent

OURS = "/api/"
"""What paths of ours begin with, but for the service's own."""
OTHER = "other"
"""The route of what asks for none of ours."""


class Framed:
    """One request, from its head to its answer: its `Context`, its span if it is sampled, its time."""

    __slots__ = ("_span", "_started", "context")

    def __init__(self, headers: Headers) -> None:
        self._started = perf_counter()
        sent = traceparent(headers.get(b"traceparent"))
        self._span = tracing.arrived(sent)
        trace = self._span.traceparent if self._span else sent or trace_context.new(sampled=False)
        self.context = Context(request_id(headers.get(b"x-request-id")), trace, headers)

    def headers(self, path: str) -> Raw:
        """What its answer says beside what that itself says."""
        context = self.context
        named = (b"x-request-id", context.request_id.encode())
        return (*headers_of(path), named, *raw(context.answer_headers))

    def end(self, method: str, route: str, status: int) -> None:
        """Measure it; `route` is a path that metrics may name."""
        count, duration = _metrics(route, status)
        count.inc()
        duration.observe(perf_counter() - self._started)
        if self._span and route.startswith(OURS):  # Not those who ask for health or metrics all the time.
            _end(self._span, method, route, status)


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
        framed = Framed(Headers(scope["headers"]))
        place(scope, framed.context)
        status = 500

        async def framed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *framed.headers(scope["path"])]
            await send(message)

        try:
            await self._app(scope, receive, framed_send)
        finally:
            framed.end(scope["method"], self._routes.get(scope.get("endpoint"), OTHER), status)


def _end(span: Span, method: str, route: str, status: int) -> None:
    about: Attributes = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
    }
    error = str(status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
    span.end(name=f"{method} {route}", error=error, attributes=about)


@cache  # Looking them up takes as long as counting; there are few.
def _metrics(route: str, status: int) -> tuple[Counter, Histogram]:
    return API_REQUESTS.labels(route, status), API_REQUEST_DURATION.labels(route)
