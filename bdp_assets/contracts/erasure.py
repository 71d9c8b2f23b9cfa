"""Customers who were erased: what a message says about whom and when, and which of it is of before that.

A tombstone is a keyed hash of a customer's id and a moment. What happened until then must not come again;
what happens later begins a new history. What does not say when it happened is of before.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from bdp_assets.contracts.records import Adjustment, Label
from bdp_assets.contracts.rules import MAX_AHEAD_MS, epoch_ms
from bdp_assets.contracts.wire import FORMS

CUSTOMER_ERASED = "customer_erased"
REFUSAL = (
    "The customer was erased, and this is of before that, or does not say that it is not (a label says so by "
    "ts_ms). Do not send it again."
)
_WORD = re.compile(r"[A-Za-z0-9._:-]+")
"""Of the characters of an id."""
_MOST_PARTS = 32
"""An id has 64 characters, so that no more lie between its colons."""
_TIMESTAMP = re.compile(FORMS["timestamp"].pattern)

IsErased = Callable[[str, int | None], bool]
"""Whether what a customer (an id) did at a time (UTC epoch milliseconds) is, or is to be, erased.

Without a time: whether anything of the customer's is.
"""


class _Named(msgspec.Struct):
    """Of any message of ours, or of what should be one."""

    customer_id: Any = None
    ts_ms: Any = None
    timestamp: Any = None
    original_transaction_id: Any = None


_decode = msgspec.json.Decoder(_Named).decode


def customer_hash(customer_id: str, key: bytes) -> str:
    """HMAC-SHA256 of an id, 64 hex digits; never equal to the hash of a card number by the same key."""
    return hmac.new(key, b"customer:" + customer_id.encode(), sha256).hexdigest()


def until(now_ms: int) -> int:
    """The last moment that an erasure at `now_ms` is about: no message of before may name a later one."""
    return now_ms + MAX_AHEAD_MS


@dataclass(frozen=True)
class Tombstones:
    """Who was erased, until when (UTC epoch milliseconds), by the hashes of their ids; falsy: nobody."""

    until_ms: Mapping[str, int]
    key: bytes = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.until_ms)

    def cover(self, customer_id: str, ts_ms: int | None) -> bool:
        """As `IsErased`."""
        if not self.until_ms:
            return False
        until_ms = self.until_ms.get(customer_hash(customer_id, self.key))
        return until_ms is not None and (ts_ms is None or ts_ms <= until_ms)


NOBODY = Tombstones({}, b"")
CurrentTombstones = Callable[[], Tombstones]
"""The tombstones as they are now."""


def no_tombstones() -> Tombstones:
    """A `CurrentTombstones` where nobody was erased."""
    return NOBODY


def paid_ms(notice: Label | Adjustment) -> int | None:
    """When the transaction of a notice took place, as far as the notice says: an adjustment does not."""
    return notice.ts_ms if isinstance(notice, Label) else None


def names(value: bytes | None, is_erased: IsErased) -> bool:
    """Whether a message is about what is erased; where it names nobody readably, any of its words may."""
    if value is None:
        return False
    try:
        found = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Named()
    if isinstance(found.customer_id, str):
        return is_erased(found.customer_id, _moment(found))
    return any(is_erased(word, None) for word in _words(value.decode(errors="replace")))


def _moment(found: _Named) -> int | None:
    if found.original_transaction_id is not None:
        return None
    if isinstance(found.ts_ms, int):
        return found.ts_ms
    told = found.timestamp if isinstance(found.timestamp, str) else ""
    return epoch_ms(told) if _TIMESTAMP.fullmatch(told) else None


def _words(text: str) -> Iterator[str]:
    """What in a text may be an id: between any two colons of a word, without punctuation around it."""
    for word in _WORD.findall(text):
        parts = word.split(":")
        for start in range(len(parts)):
            for end in range(start + 1, min(start + _MOST_PARTS, len(parts)) + 1):
                yield ":".join(parts[start:end]).strip("._-")
