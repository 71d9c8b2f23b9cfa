"""Headers of every answer, for browsers: take nothing for what it is not, keep nothing, load nothing."""

from __future__ import annotations

from collections.abc import Mapping

Raw = tuple[tuple[bytes, bytes], ...]

_NOTHING = b"default-src 'none'; frame-ancestors 'none'"
_DOCS = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles in place, and has its icons in data URLs; it runs no script but its own file."""


def _headers(policy: bytes) -> Raw:
    return (
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", policy),
    )


ANSWERS = _headers(_NOTHING)
DOCS = _headers(_DOCS)


def raw(headers: Mapping[str, str]) -> Raw:
    """As they travel."""
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


def headers_of(path: str) -> Raw:
    return DOCS if path == "/docs" or path.startswith("/docs/") else ANSWERS
