"""The secret that keys hashes of card numbers: equal numbers can be recognised, none can be found by trying.

A masked number leaves at most a million candidates, so the key is all that protects the rest of its digits.
There is no default: the local profile makes a random one, everywhere else somebody must choose it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bdp_assets.settings import Settings


class PanKeyMissing(Exception):  # noqa: N818 - a condition that a person mends
    """There is no key, and none may be made up. `what` says why, `do` what to do."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what} {do}")
        self.what = what
        self.do = do


def pan_key(settings: Settings) -> bytes:
    """The key of this installation; in the local profile made at its first use. Raises PanKeyMissing."""
    require_choice(settings)
    if settings.pan_hash_key is not None:
        return settings.pan_hash_key.get_secret_value().encode()
    return _own_key(settings.secrets_dir / "pan_hash_key")


def require_choice(settings: Settings) -> None:
    """Raises PanKeyMissing where the key must be set and is not."""
    if settings.pan_hash_key is None and settings.own_systems:
        named = " and ".join(settings.own_systems)
        raise PanKeyMissing(
            f"BDP_PAN_HASH_KEY is not set, and {named} is: beside systems of your own, all processes must "
            "hash card numbers (in dead letters) with the same secret.",
            "Make one with `openssl rand -hex 32` and set it for all of them.",
        )


def _own_key(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise PanKeyMissing(
            f"Can not make or read {path}: {error.strerror}.",
            "Make room or fix its owner, or set BDP_PAN_HASH_KEY.",
        ) from error
    if not key:
        raise PanKeyMissing(f"{path} is empty.", "Remove it: a new key is made. Older hashes will not match.")
    return key


def _make(path: Path) -> None:
    """Whole or not at all; of several processes at once one wins, and all read its key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
