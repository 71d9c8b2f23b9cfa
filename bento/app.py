"""The HTTP routes, as one ASGI app that `service.py` mounts at the root of the BentoML service."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bdp_assets.contracts.records import Label, Prediction
from bdp_assets.observability import metrics
from bento import fast_predict, openapi, replies, requests
from bento.access.scopes import NEEDS
from bento.admission import admit, charge
from bento.calls import Call
from bento.context import context_of
from bento.docs import docs_routes
from bento.errors import ApiError, no_model
from bento.fast_path import FastCalls
from bento.fast_predict import FastPredict
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
from bento.replies import Reply
from bento.routing import Endpoint, FixedPaths
from bento.serving import Serving


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
        self._predict = FastPredict()
        self.fast: dict[tuple[bytes, bytes], FastCalls] = {
            (fast_predict.METHOD.encode(), fast_predict.PATH.encode()): self._predict
        }
        """What is also served below ASGI."""

    def attach(self, serving: Serving) -> None:
        self._app.serving = self._predict.serving = serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._framed(scope, receive, send)


def keyed(path: str, endpoint: Endpoint, method: str = "GET") -> Route:
    """A route that is let into with a key of the scopes that `NEEDS` says, before anything is read."""
    scopes = NEEDS[path]

    async def admitted(request: Request) -> Reply | Response:
        address = request.client.host if request.client else ""
        admit(_serving(request).access, context_of(request), address, scopes)
        return await endpoint(request)

    return Route(path, admitted, methods=[method])


async def predict(request: Request) -> Reply:
    """`FastPredict` does the same below ASGI."""
    _charge(request, 1)
    body = await requests.json_body(request, requests.SINGLE_LIMIT_BYTES)
    outcome = await _serving(request).predictor.predict_one(body, _call(request))
    return replies.decided(outcome, _request_id(request))


async def predict_batch(request: Request) -> Reply:
    items, request_id = await _charged_items(request), _request_id(request)
    outcomes = await _serving(request).predictor.predict(items, _call(request))
    return Reply([_item(outcome, request_id) for outcome in outcomes])


async def label(request: Request) -> Reply:
    return Reply(accepted_of(await _taken(request, _serving(request).labels), _request_id(request)), 202)


async def label_batch(request: Request) -> Reply:
    items, request_id = await _charged_items(request), _request_id(request)
    outcomes = await _serving(request).labels.take(items, _call(request))
    return Reply([_item(outcome, request_id) for outcome in outcomes], 202)


async def adjustment(request: Request) -> Reply:
    taken = await _taken(request, _serving(request).adjustments)
    return Reply(accepted_adjustment_of(taken, _request_id(request)), 202)


async def decision(request: Request) -> Reply:
    _charge(request, 1)
    customer_id, transaction_id = requests.customer_id(request), request.path_params["transaction_id"]
    return Reply(msgspec.Raw(_serving(request).decisions.record(customer_id, transaction_id)))


async def model(request: Request) -> Reply:
    _charge(request, 1)
    decider = _serving(request).predictor.decider
    if decider is None:
        raise no_model()
    return Reply(card_of(decider))


async def health(request: Request) -> Reply:
    state = _serving(request).health()
    return Reply(state, 200 if state.ready else 503)


async def metrics_text(_: Request) -> Response:
    return Response(metrics.exposition(), media_type=metrics.EXPOSITION_TYPE)


async def refused(request: Request, refusal: ApiError) -> Reply:
    return replies.refused(refusal, _request_id(request))


async def not_served(request: Request, error: HTTPException) -> Reply:
    """Unknown route (404), wrong method (405)."""
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    message = f"{phrase}: /docs shows what there is"
    return await refused(request, ApiError(error.status_code, code, message, headers=error.headers))


async def failed(request: Request, defect: Exception) -> Reply:
    """The server below us logs a defect once more, without its trace."""
    return replies.failed(defect, context_of(request))


async def _taken(request: Request, notices: Notices[NoticeT]) -> NoticeT:
    """The one notice that a call brings. Raises ApiError."""
    _charge(request, 1)
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
        _charge(request, max(1, len(items)))
    return items


def _charge(request: Request, items: int) -> None:
    charge(_serving(request).access, context_of(request), items)


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
