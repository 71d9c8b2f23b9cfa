"""The HTTP routes, as one ASGI app that `service.py` mounts at the root of the BentoML service."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bdp_assets.contracts.headers import trace_id
from bdp_assets.contracts.records import Label, Prediction
from bdp_assets.observability import metrics
from bento import openapi, requests
from bento.access.scopes import NEEDS
from bento.calls import Call
from bento.context import context_of
from bento.docs import docs_routes
from bento.errors import ApiError, no_model
from bento.frame import Frame
from bento.models import (
    Accepted,
    Answer,
    Error,
    accepted_adjustment_of,
    accepted_of,
    answer_of,
    card_of,
    error_of,
)
from bento.notices import Notices, NoticeT
from bento.routing import Endpoint, FixedPaths
from bento.serving import Serving

_log = logging.getLogger("bdp.api.app")


class _Attached(Starlette):
    """What `attach` gives, as a plain attribute: each call looks for it several times."""

    serving: Serving


class Api:
    """ASGI app; `attach` gives it what it serves before the first request."""

    def __init__(self) -> None:
        self.routes = [
            keyed("/api/v1/predict", predict, "POST"),
            keyed("/api/v1/predict/batch", predict_batch, "POST"),
            keyed("/api/v1/labels", label, "POST"),
            keyed("/api/v1/labels/batch", label_batch, "POST"),
            keyed("/api/v1/adjustments", adjustment, "POST"),
            keyed("/api/v1/decisions/{transaction_id}", decision),
            keyed("/api/v1/model", model),
            Route("/health", health),
            Route("/metrics", metrics_text),
            *docs_routes(openapi.document()),
        ]
        handlers: dict[Any, Any] = {ApiError: refused, HTTPException: not_served, Exception: failed}
        self._app = _Attached(routes=self.routes, exception_handlers=handlers)
        self._app.router.redirect_slashes = False
        named = [route for route in self.routes if isinstance(route, Route)]
        found = FixedPaths(self._app, named, refused, failed)
        self._framed = Frame(found, {route.endpoint: route.path for route in named})

    def attach(self, serving: Serving) -> None:
        self._app.serving = serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._framed(scope, receive, send)


def keyed(path: str, endpoint: Endpoint, method: str = "GET") -> Route:
    """A route that is let into with a key of the scopes that `NEEDS` says, before anything is read."""
    scopes = NEEDS[path]

    async def admitted(request: Request) -> Response:
        address = request.client.host if request.client else ""
        context = context_of(request)
        context.caller = _serving(request).access.admit(context.headers, address, scopes)
        return await endpoint(request)

    return Route(path, admitted, methods=[method])


def charge(request: Request, items: int) -> None:
    """Count a call of a keyed route against its caller's limit. Raises ApiError 429."""
    context = context_of(request)
    assert context.caller is not None  # noqa: S101 - `keyed` let it in
    context.answer_headers |= _serving(request).access.charge(context.caller, items)


async def predict(request: Request) -> Response:
    charge(request, 1)
    body = await requests.json_body(request, requests.SINGLE_LIMIT_BYTES)
    outcome = await _serving(request).predictor.predict_one(body, _call(request))
    if isinstance(outcome, ApiError):
        raise outcome
    return _json(answer_of(outcome, _request_id(request)))


async def predict_batch(request: Request) -> Response:
    items = await _charged_items(request)
    outcomes = await _serving(request).predictor.predict(items, _call(request))
    return _json([_item(outcome, _request_id(request)) for outcome in outcomes])


async def label(request: Request) -> Response:
    return _json(accepted_of(await _taken(request, _serving(request).labels), _request_id(request)), 202)


async def label_batch(request: Request) -> Response:
    items = await _charged_items(request)
    outcomes = await _serving(request).labels.take(items, _call(request))
    return _json([_item(outcome, _request_id(request)) for outcome in outcomes], 202)


async def adjustment(request: Request) -> Response:
    taken = await _taken(request, _serving(request).adjustments)
    return _json(accepted_adjustment_of(taken, _request_id(request)), 202)


async def decision(request: Request) -> Response:
    charge(request, 1)
    customer_id, transaction_id = requests.customer_id(request), request.path_params["transaction_id"]
    return _json(msgspec.Raw(_serving(request).decisions.record(customer_id, transaction_id)))


async def model(request: Request) -> Response:
    charge(request, 1)
    decider = _serving(request).predictor.decider
    if decider is None:
        raise no_model()
    return _json(card_of(decider))


async def health(request: Request) -> Response:
    state = _serving(request).health()
    return _json(state, 200 if state.ready else 503)


async def metrics_text(_: Request) -> Response:
    return Response(metrics.exposition(), media_type=metrics.EXPOSITION_TYPE)


async def refused(request: Request, refusal: ApiError) -> Response:
    response = _json(error_of(refusal, _request_id(request)), refusal.status)
    response.headers.update(refusal.headers)
    return response


async def not_served(request: Request, error: HTTPException) -> Response:
    """Unknown route (404), wrong method (405)."""
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    message = f"{phrase}: /docs shows what there is"
    response = await refused(request, ApiError(error.status_code, code, message))
    response.headers.update(error.headers or {})
    return response


async def failed(request: Request, defect: Exception) -> Response:
    """A defect of ours: its place goes to the log, not its text, and the trace that it is in.

    The server below us logs it once more, without that.
    """
    trace = trace_id(context_of(request).traceparent.encode())
    _log.error("a call failed by a defect", extra={"trace_id": trace}, exc_info=defect)
    return await refused(request, ApiError(500, "internal_error", "a defect of this service; see its log"))


async def _taken(request: Request, notices: Notices[NoticeT]) -> NoticeT:
    """The one notice that a call brings. Raises ApiError."""
    charge(request, 1)
    body = await requests.json_body(request, requests.SINGLE_LIMIT_BYTES)
    [outcome] = await notices.take([body], _call(request))
    if isinstance(outcome, ApiError):
        raise outcome
    return outcome


async def _charged_items(request: Request) -> list[bytes]:
    """The items of a batch, each of which counts; what can not be read costs one."""
    body = await requests.json_body(request, requests.BATCH_LIMIT_BYTES)
    items: list[bytes] = []
    try:
        items = requests.batch_items(body)
    finally:
        charge(request, max(1, len(items)))
    return items


def _serving(request: Request) -> Serving:
    app: _Attached = request.scope["app"]
    return app.serving


def _call(request: Request) -> Call:
    context = context_of(request)
    return Call(context.request_id, context.traceparent, requests.dry_run(request))


def _request_id(request: Request) -> str:
    return context_of(request).request_id


def _item(outcome: Prediction | Label | ApiError, request_id: str) -> Answer | Accepted | Error:
    match outcome:
        case ApiError():
            return error_of(outcome, request_id)
        case Label():
            return accepted_of(outcome, request_id)
        case _:
            return answer_of(outcome, request_id)


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
