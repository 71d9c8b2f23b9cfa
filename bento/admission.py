"""Who a request is from, and that its caller may ask for so much: noted in its context."""

from __future__ import annotations

from collections.abc import Sequence

from bento.access.access import Access
from bento.access.scopes import Scope
from bento.context import Context


def admit(access: Access, context: Context, address: str, scopes: Sequence[Scope]) -> None:
    """Let it in with a key of one of the scopes. Raises ApiError 401 or 403."""
    context.caller = access.admit(context.headers, address, scopes)


def charge(access: Access, context: Context, items: int) -> None:
    """Count items against its caller's limit. Raises ApiError 429."""
    assert context.caller is not None  # noqa: S101 - `admit` let it in
    context.answer_headers |= access.charge(context.caller, items)
