"""What the API says when it refuses: a stable code, a field's name, a sentence; never a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bdp_assets.contracts.erasure import CUSTOMER_ERASED, REFUSAL
from bdp_assets.contracts.errors import ContractError
from bento.access.scopes import Scope

_CHALLENGE = 'Bearer realm="fraud prediction API"'


class ApiError(Exception):
    """A refusal with its HTTP status. `message` says what to do and holds nothing that the caller sent."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers or {}


_STATUS = {"not_json": 400, "not_utf8": 400, "too_large": 413}


def broken_contract(error: ContractError) -> ApiError:
    """400 where the body could not be read, 422 where what it says breaks the contract."""
    return ApiError(_STATUS.get(error.code, 422), error.code, error.message, field=error.field)


def customer_erased() -> ApiError:
    """422, as a broken contract: the same again is refused again."""
    return ApiError(422, CUSTOMER_ERASED, REFUSAL, field="customer_id")


def no_request() -> ApiError:
    return ApiError(400, "http_malformed", "this can not be read as HTTP; send a request as RFC 9112 has it")


def coding_unknown() -> ApiError:
    message = "the body has a transfer coding other than chunked; send it without, or in chunks alone"
    return ApiError(501, "coding_unknown", message)


def head_too_large(limit: int) -> ApiError:
    message = f"the request's line and headers are larger than {limit // 1024} KiB; send less in them"
    return ApiError(431, "head_too_large", message)


def no_key() -> ApiError:
    """One answer for every key that is not good: none, malformed, unknown, expired, revoked."""
    return ApiError(
        401,
        "key_required",
        "send a good key in the header Authorization (Bearer ...) or X-API-Key; `bdp keys create` makes one",
        headers={"WWW-Authenticate": _CHALLENGE},
    )


def missing_scope(scopes: Sequence[Scope]) -> ApiError:
    challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{" ".join(scopes)}"'
    message = f"this key may not do that: it needs the scope {' or '.join(scopes)}"
    return ApiError(403, "scope_missing", message, headers={"WWW-Authenticate": challenge})


def too_many(headers: Mapping[str, str]) -> ApiError:
    message = "this is more than the limit allows; the header Retry-After says when to send it again"
    return ApiError(429, "rate_limited", message, headers=headers)


def conflict() -> ApiError:
    return ApiError(
        409,
        "transaction_conflict",
        "this customer has another transaction with that id; send a new one under a new id",
        field="transaction_id",
    )


def too_large(limit: int) -> ApiError:
    return ApiError(413, "body_too_large", f"the body is larger than {limit // 1024} KiB; send less at once")


def decision_unknown() -> ApiError:
    return ApiError(
        404,
        "decision_unknown",
        "no decision of that transaction is kept online: the API's own are, for as long as their customer's "
        "history; `bdp decisions show` also looks in the lake",
    )


def store_unavailable() -> ApiError:
    return ApiError(503, "store_unavailable", "the online store is not reachable; try again later")


def no_model() -> ApiError:
    return ApiError(
        503,
        "model_unavailable",
        "no champion model is active on this machine, so nothing can be scored; "
        "train one (`bdp train`) or activate a registered one (`bdp models use VERSION`)",
    )


def queue_full() -> ApiError:
    return ApiError(
        503,
        "queue_full",
        "the spool towards Kafka is full; nothing was recorded, try again later",
        headers={"Retry-After": "1"},  # Room comes as soon as Kafka takes what waits, nobody knows when.
    )


def spool_failed() -> ApiError:
    return ApiError(
        503,
        "spool_failed",
        "what came can not be written down (is the disk full?), so there is no answer; send the same again",
    )
