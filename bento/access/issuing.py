"""Creating, rotating and revoking keys: from what there is to what there will be."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bdp_assets.contracts import pan
from bento.access.keys import Key, Keys, Name, Secret, digest_of, new_id, new_key_text
from bento.access.scopes import Scope

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class KeyRefused(Exception):  # noqa: N818 - read as what it is
    """There is no such key, or there is one already. The message says what to do."""


class Issued(Struct, frozen=True):
    """All keys as they are now, and the new one as its owner gets it."""

    keys: Keys
    shown: str


class Wish(Struct, frozen=True, kw_only=True):
    """What a new key shall be."""

    name: str
    scopes: Sequence[Scope]
    expires_days: int | None = None
    rate_per_s: int | None = None


def create(keys: Keys, wish: Wish, now_ms: int) -> Issued:
    """Raises KeyRefused for a name that is taken or no name."""
    _require_name(wish.name)
    if any(key.name == wish.name for key in keys.keys):
        raise KeyRefused("There is a key of this name: `bdp keys rotate` gives it a new secret.")
    key_id = new_id()
    shown = new_key_text(key_id)
    key = Key(
        name=wish.name,
        id=key_id,
        scopes=tuple(scope for scope in Scope if scope in wish.scopes),
        secrets=(Secret(digest_of(shown)),),
        created_ms=now_ms,
        expires_ms=None if wish.expires_days is None else now_ms + wish.expires_days * DAY_MS,
        rate_per_s=wish.rate_per_s,
    )
    return Issued(Keys((*keys.keys, key)), shown)


def rotate(keys: Keys, name: str, overlap_hours: int, now_ms: int) -> Issued:
    """A new secret under the same id; older ones end with the overlap. Raises KeyRefused."""
    key = _find(keys, name)
    if key.has_expired(now_ms):
        raise KeyRefused("This key has expired: revoke it and create another.")
    shown = new_key_text(key.id)
    end_ms = now_ms + overlap_hours * HOUR_MS
    older = [replace(one, until_ms=min(end_ms, one.until_ms or end_ms)) for one in key.secrets]
    kept = tuple(one for one in older if one.is_good(now_ms))
    rotated = replace(key, secrets=(Secret(digest_of(shown)), *kept))
    return Issued(Keys(tuple(rotated if one is key else one for one in keys.keys)), shown)


def revoke(keys: Keys, name: str) -> Keys:
    """Raises KeyRefused."""
    key = _find(keys, name)
    return Keys(tuple(one for one in keys.keys if one is not key))


def _find(keys: Keys, name: str) -> Key:
    for key in keys.keys:
        if key.name == name:
            return key
    raise KeyRefused("There is no key of this name: `bdp keys list` shows them.")


def _require_name(name: str) -> None:
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError:
        raise KeyRefused("A key's name has 1 to 64 letters, digits, dots, dashes and underscores.") from None
    if pan.holds_pan(name):
        raise KeyRefused(f"The name {pan.ADVICE}")
