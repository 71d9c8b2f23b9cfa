"""Answers in JSON, whichever way a request came: over ASGI, or below it (`fast_path.py`)."""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec
from starlette.types import Receive, Scope, Send

from bdp_assets.contracts.headers import trace_id
from bdp_assets.contracts.records import Prediction
from bento.context import Context
from bento.errors import ApiError
from bento.headers import Raw, raw
from bento.models import answer_of, error_of

_log = logging.getLogger("bdp.api.app")


class Reply:
    """Status, headers and body of one answer; over ASGI, what Starlette's `Response` is.

    `headers` are its own; the frame adds those that every answer has.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, content: object, status: int = HTTPStatus.OK, headers: Raw = ()) -> None:
        self.status = int(status)
        self.body = msgspec.json.encode(content)
        length = b"%d" % len(self.body)
        self.headers: Raw = ((b"content-length", length), (b"content-type", b"application/json"), *headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def decided(outcome: Prediction | ApiError, request_id: str) -> Reply:
    """To a call for one decision."""
    if isinstance(outcome, ApiError):
        return refused(outcome, request_id)
    return Reply(answer_of(outcome, request_id))


def refused(refusal: ApiError, request_id: str) -> Reply:
    return Reply(error_of(refusal, request_id), refusal.status, raw(refusal.headers))


def failed(defect: Exception, context: Context) -> Reply:
    """To a defect of ours: its place goes to the log, not its text, and the trace that it is in."""
    trace = trace_id(context.traceparent.encode())
    _log.error("a call failed by a defect", extra={"trace_id": trace}, exc_info=defect)
    return refused(
        ApiError(500, "internal_error", "a defect of this service; see its log"), context.request_id
    )
