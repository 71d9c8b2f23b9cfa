"""What is known of a request before anyone looks at what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope

from bento.access.access import Caller

_PLACE = "bdp.context"


@dataclass(slots=True)
class Context:
    """`headers`: by their names in lower case; of several of one name, the first counts.

    `traceparent` is the trace context of what the request causes.
    """

    request_id: str
    traceparent: str
    headers: Mapping[str, str]
    answer_headers: dict[str, str] = field(default_factory=dict)
    caller: Caller | None = None


def headers_in(scope: Scope) -> dict[str, str]:
    """Read once, as plain as can be: Starlette searches all of them again for each one asked for."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


def place(scope: Scope, context: Context) -> None:
    scope[_PLACE] = context


def context_of(request: Request) -> Context:
    context: Context = request.scope[_PLACE]
    return context
