"""Who may call what: a key with one of the scopes that the route needs, or anyone where the API is open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple, Protocol

from bento.access.bucket import Taken
from bento.access.keyring import Keyring
from bento.access.scopes import Scope
from bento.errors import missing_scope, no_key, too_many

HEADER = "X-API-Key"
_NAME = HEADER.lower().encode()
_BEARER = "bearer "


class Caller(NamedTuple):
    """Whom a limit counts, and the limit: transactions a second, 0 for none."""

    identity: str
    rate_per_s: int


class Sent(Protocol):
    """Headers of a request, by lower-case names."""

    def get(self, name: bytes) -> str | None: ...


class Limits(Protocol):
    """What `Limiter` does."""

    def take(self, identity: str, rate: int, wanted: int) -> Taken: ...


class Access:
    """Lets calls in. Without a keyring the API is open, and limits count addresses."""

    def __init__(self, keyring: Keyring | None, limits: Limits, rate_per_s: int) -> None:
        """`rate_per_s`: the limit of keys that have none of their own, and of addresses; 0: none."""
        self._keyring = keyring
        self._limits = limits
        self._rate_per_s = rate_per_s

    def admit(self, headers: Sent, address: str, scopes: Sequence[Scope]) -> Caller:
        """Raises ApiError 401 for a key that is not good, 403 for one that is for other things."""
        if self._keyring is None:
            return Caller(_of_address(address), self._rate_per_s)
        key = self._keyring.find(_presented(headers), time.time_ns() // 1_000_000)
        if key is None:
            raise no_key()
        if not set(scopes) & set(key.scopes):
            raise missing_scope(scopes)
        return Caller(f"key:{key.id}", self._rate_per_s if key.rate_per_s is None else key.rate_per_s)

    def charge(self, caller: Caller, items: int) -> dict[str, str]:
        """Count items against the caller's limit; headers for the answer. Raises ApiError 429."""
        if not caller.rate_per_s:
            return {}
        taken = self._limits.take(caller.identity, caller.rate_per_s, items)
        if not taken.allowed:
            raise too_many(taken.headers)
        return taken.headers

    def close(self) -> None:
        if self._keyring is not None:
            self._keyring.stop()


@lru_cache(100)  # Calls come again and again from few.
def _of_address(address: str) -> str:
    return f"address:{sha256(address.encode()).hexdigest()}"


def _presented(headers: Sent) -> str:
    """What a caller says is its key."""
    key = headers.get(_NAME)
    if key is not None:
        return key
    authorization = headers.get(b"authorization") or ""
    return authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else ""
