"""API keys: `bdp_<id>_<secret>`. The id finds a key; of the secret, 256 random bits, only a digest is kept.

One round of SHA-256 is enough for a secret that nobody can guess; a slow hash is for passwords.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256
from typing import Annotated, Literal

from msgspec import Meta, Struct

from bento.access.scopes import Scope

MOST_PER_S = 1_000_000
"""The highest rate that a key may have."""

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")]
Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Rate = Annotated[int, Meta(ge=0, le=MOST_PER_S)]

_SHOWN = re.compile(r"bdp_([0-9a-f]{12})_[0-9a-f]{64}")


class Secret(Struct, frozen=True, forbid_unknown_fields=True):
    """The digest of a key as it was shown. `until_ms`: it was rotated away and ends then (UTC epoch)."""

    sha256: Digest
    until_ms: int | None = None

    def is_good(self, now_ms: int) -> bool:
        return self.until_ms is None or now_ms < self.until_ms


class Key(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is kept of a key; times are UTC epoch milliseconds. `rate_per_s` 0: any, None: the default."""

    name: Name
    id: Id
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1)]
    secrets: tuple[Secret, ...]
    created_ms: int
    expires_ms: int | None = None
    rate_per_s: Rate | None = None

    def has_expired(self, now_ms: int) -> bool:
        return self.expires_ms is not None and now_ms >= self.expires_ms

    def is_opened_by(self, shown: str, now_ms: int) -> bool:
        """Takes as long whatever the secret is."""
        digest = digest_of(shown)
        matches = [hmac.compare_digest(digest, one.sha256) and one.is_good(now_ms) for one in self.secrets]
        return any(matches) and not self.has_expired(now_ms)


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of a key file."""

    keys: tuple[Key, ...] = ()
    version: Literal[1] = 1


def new_id() -> str:
    return secrets.token_hex(6)


def new_key_text(key_id: str) -> str:
    """A key as its owner gets it, once."""
    return f"bdp_{key_id}_{secrets.token_hex(32)}"


def digest_of(shown: str) -> str:
    return sha256(shown.encode()).hexdigest()


def id_of(shown: str) -> str | None:
    """The id in what a caller presents; None where it can be no key of ours."""
    match = _SHOWN.fullmatch(shown)
    return match and match[1]
