"""Reading requests: media type, size, time, and the shape of a batch; identifiers that travel along."""

from __future__ import annotations

import asyncio
import re
import secrets

import msgspec
from starlette.requests import Request
from starlette.types import Receive

from bdp_assets.contracts import pan
from bdp_assets.contracts.headers import may_go_on
from bdp_assets.contracts.transaction import MAX_VALUE_BYTES
from bento.context import Headers, context_of, is_whole
from bento.errors import ApiError, too_large

SINGLE_LIMIT_BYTES = MAX_VALUE_BYTES
BATCH_LIMIT_BYTES = 2 * 1024 * 1024
BATCH_LIMIT_ITEMS = 1_000
BODY_TIMEOUT_S = 10.0

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BATCH = msgspec.json.Decoder(list[msgspec.Raw])
_SWITCH = {"true": True, "1": True, "false": False, "0": False}


async def json_body(request: Request, limit_bytes: int) -> bytes:
    """The body, read only as far as the limit. Raises ApiError 400, 408, 413 or 415."""
    require_head(context_of(request).headers, limit_bytes)
    if is_whole(request.scope):  # No clock, which costs more than reading it.
        return await _read(request.receive, limit_bytes)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _read(request.receive, limit_bytes)
    except TimeoutError:
        raise ApiError(408, "body_timeout", f"the body took longer than {BODY_TIMEOUT_S:g} s") from None


def require_head(headers: Headers, limit_bytes: int) -> None:
    """That they announce JSON, no longer than the limit. Raises ApiError 413 or 415."""
    media_type = (headers.get(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "media_type_unsupported", "send the header Content-Type: application/json")
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() != "identity":
        raise ApiError(415, "encoding_unsupported", "send the body without Content-Encoding")
    declared = headers.get(b"content-length") or ""
    if declared.isdigit() and int(declared) > limit_bytes:
        raise too_large(limit_bytes)


def require_body(size: int, limit_bytes: int) -> None:
    """That so many bytes are no more than the limit. Raises ApiError 413."""
    if size > limit_bytes:
        raise too_large(limit_bytes)


def batch_items(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each as it was written. Raises ApiError 400, 413 or 422."""
    try:
        items = _BATCH.decode(body)
    except msgspec.ValidationError:
        raise ApiError(422, "batch_not_array", "the body must be a bare JSON array") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError(400, "json_malformed", "the body is not JSON (UTF-8, no NaN or Infinity)") from None
    if len(items) > BATCH_LIMIT_ITEMS:
        message = f"a batch holds at most {BATCH_LIMIT_ITEMS} items; send several batches"
        raise ApiError(413, "batch_too_long", message)
    return [bytes(item) for item in items]


def dry_run(request: Request) -> bool:
    """Whether `?dry_run=true` asks for an answer that leaves no trace. Raises ApiError 422."""
    text = _only_parameter(request, "dry_run")
    if text is None:
        return False
    if text.lower() not in _SWITCH:
        raise ApiError(422, "query_invalid", "dry_run must be true or false", field="dry_run")
    return _SWITCH[text.lower()]


def customer_id(request: Request) -> str:
    """Whose transaction is meant: `?customer_id=`. Raises ApiError 422."""
    customer = _only_parameter(request, "customer_id")
    if not customer:
        message = "name the customer, ?customer_id=...: a transaction_id is unique for one alone"
        raise ApiError(422, "query_invalid", message, field="customer_id")
    return customer


def request_id(sent: str | None) -> str:
    """The caller's X-Request-Id where it is well-formed and no card number, else a new one."""
    if sent is not None and _REQUEST_ID.fullmatch(sent) and not pan.holds_pan(sent):
        return sent
    return secrets.token_hex(16)


def traceparent(sent: str | None) -> str | None:
    """The caller's W3C trace context where its trace may go on here."""
    return sent if sent is not None and may_go_on(sent) else None


def _only_parameter(request: Request, name: str) -> str | None:
    """What the query says for `name`, the one parameter of its route. Raises ApiError 422.

    Any other is refused, as an unknown field of a body is: a misspelled `dry_run` would be a real call.
    """
    if not request.scope["query_string"]:
        return None
    pairs = request.query_params.multi_items()
    if any(sent != name for sent, _ in pairs):
        message = f"the query takes {name} and nothing else; correct or remove the rest"
        raise ApiError(422, "query_invalid", message, field=name)
    if len(pairs) > 1:
        raise ApiError(422, "query_invalid", f"{name} is there more than once; send it once", field=name)
    return pairs[0][1] if pairs else None


async def _read(receive: Receive, limit_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size, is_whole = 0, False
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "client_disconnected", "the caller left before the body was complete")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        require_body(size, limit_bytes)
        is_whole = not message.get("more_body", False)
    return b"".join(chunks)
