"""What is known of a request before anyone looks at what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from bento.access.access import Caller

_PLACE = "bdp.context"
_WHOLE = "bdp.whole"


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


def note_whole(scope: MutableMapping[str, Any]) -> None:
    """Say that all of a request's body has come: nobody waits for it."""
    scope[_WHOLE] = True


def is_whole(scope: Scope) -> bool:
    """Whether somebody said so by now."""
    return _WHOLE in scope


def place(scope: Scope, context: Context) -> None:
    scope[_PLACE] = context


def context_of(request: Request) -> Context:
    context: Context = request.scope[_PLACE]
    return context
