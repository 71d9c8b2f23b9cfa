"""Our routes past the general machinery, which costs an answer more than what it does for it.

A request of ours passes by BentoML's middleware (`Direct`), and a fixed path is found by a look into a table
(`FixedPaths`); whatever is not found so goes the long way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.errors import ApiError
from bento.fast_path import FastRoutes
from bento.frame import OURS
from bento.replies import Reply

Endpoint = Callable[[Request], Awaitable[Reply | Response]]
Refused = Callable[[Request, ApiError], Awaitable[Reply]]
Failed = Callable[[Request, Exception], Awaitable[Reply]]


class Direct:
    """ASGI middleware: what is `OURS`, or names no path (`OPTIONS *`), goes to `api`, all else to the app
    that it stands before: that mounts `api`, too, but only for paths."""

    def __init__(self, app: ASGIApp, api: FastRoutes) -> None:
        self.app = app
        self._api = api
        self.fast = api.fast
        """What the server may serve itself (`fast_path.py`)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and (scope["path"].startswith(OURS) or scope["path"] == "*")
        await (self._api if ours else self.app)(scope, receive, send)


class FixedPaths:
    """ASGI middleware: calls the endpoint of a route whose path has no parameters, with the right method.

    `app` does all else: paths with parameters, wrong methods, unknown paths.
    """

    def __init__(self, app: Starlette, routes: Sequence[Route], refused: Refused, failed: Failed) -> None:
        """`refused` answers what an endpoint refuses, `failed` a defect, which goes on up after that."""
        self._app = app
        self._refused = refused
        self._failed = failed
        self._endpoints: dict[tuple[str, str], Endpoint] = {
            (method, route.path): route.endpoint
            for route in routes
            if not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        scope["app"], scope["endpoint"] = self._app, endpoint
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except ApiError as refusal:
            response = await self._refused(request, refusal)
        except Exception as defect:
            await (await self._failed(request, defect))(scope, receive, send)
            raise
        await response(scope, receive, send)
