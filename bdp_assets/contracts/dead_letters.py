"""What a dead letter keeps of the refused value: all of it, save card numbers."""

from __future__ import annotations

from base64 import b64encode
from typing import TypedDict

from bdp_assets.contracts.pan import holds_masked_pan, mask_pans, plain


class Content(TypedDict):
    """Fields of a `DeadLetter` that come from the value."""

    value_base64: str
    masked: bool
    pan_hashes: list[str]


def content(value: bytes | None, pan_key: bytes) -> Content:
    """The value with its card numbers masked, and their hashes; see `pan_key.pan_key` for the key."""
    kept, hashes = mask_pans(value or b"", pan_key)
    masked = bool(hashes) or holds_masked_pan(plain(kept))
    return Content(value_base64=b64encode(kept).decode(), masked=masked, pan_hashes=hashes)


def printable(value: bytes) -> str:
    """Text whose control characters do nothing: anybody may have sent it."""
    text = value.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


_SOURCE = "source:"


def of_source(name: str) -> str:
    """`source_topic` of rows that were refused at their source, before any topic."""
    return _SOURCE + name


def is_of_source(source_topic: str) -> bool:
    return source_topic.startswith(_SOURCE)
