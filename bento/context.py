"""What is known of a request before anyone looks at what it asks for."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from bento.access.access import Caller

_PLACE = "bdp.context"
_WHOLE = "bdp.whole"


class Headers:
    """A request's headers by their names in lower case; of several of one name, the first counts.

    Each is decoded where it is asked for: of most that come nobody asks.
    """

    __slots__ = ("_values",)

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._values = dict(reversed(raw))

    def get(self, name: bytes) -> str | None:
        value = self._values.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(slots=True)
class Context:
    """`traceparent` is the trace context of what the request causes."""

    request_id: str
    traceparent: str
    headers: Headers
    answer_headers: dict[str, str] = field(default_factory=dict)
    caller: Caller | None = None


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
