"""Customers who were erased (`bdp erase`): what comes of theirs later, by whichever door, is dropped.

The lake's table `erased` has a keyed hash of each, a tombstone: it can be compared with an id that comes, and
tells nothing to whoever lacks the key. It is read within each attempt at a commit, after the state of the
table that is written to. An erasure writes its tombstone first and then changes each table's metadata, which
no commit passes that began before: whoever commits later has seen the tombstone.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import polars as pl

from bdp_assets.clients.lake import Admit, Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.spec import MERCHANT, Catalog
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings

TABLE, MERCHANTS = "erased", "erased_merchants"
MERCHANT_ID = "merchant_id"
CUSTOMER, VALUE, BASE64 = "customer_id", "value", "value_base64"
_HASH = "customer_hash"
_WORD = re.compile(r"[A-Za-z0-9._:-]+")
"""Of the characters of an id."""
_MOST_PARTS = 32
"""An id has 64 characters, so that no more lie between its colons."""

IsErased = Callable[[str], bool]
"""Whether an id is that of a customer who is, or is to be, erased."""


class _Named(msgspec.Struct):
    customer_id: Any = None


_decode = msgspec.json.Decoder(_Named).decode


def customer_hash(customer_id: str, key: bytes) -> str:
    """HMAC-SHA256 of an id, 64 hex digits; never equal to the hash of a card number by the same key."""
    return hmac.new(key, b"customer:" + customer_id.encode(), sha256).hexdigest()


def bury(lake: Lake, hashed: str) -> None:
    """Keep a tombstone; one that is there stays as it is."""
    if hashed not in tombstones(lake):
        today = datetime.now(UTC).date()
        lake.append(TABLE, pl.DataFrame({_HASH: [hashed], EVENT_DATE: [today]}))


def tombstones(lake: Lake) -> frozenset[str]:
    return frozenset(lake.read(TABLE, [_HASH])[_HASH]) if lake.exists(TABLE) else frozenset()


def note_merchants(lake: Lake, visits: pl.DataFrame) -> None:
    """Keep where erased customers paid last: what others were served there can not be recomputed any more.

    `visits`: merchant_id and event_date. There is nothing beside them: neither whose they were, nor how many.
    """
    last = visits.drop_nulls().group_by(MERCHANT_ID).agg(pl.col(EVENT_DATE).max())
    new = last.join(merchants(lake), on=[MERCHANT_ID, EVENT_DATE], how="anti")
    if not new.is_empty():
        lake.append(MERCHANTS, new)


def merchants(lake: Lake) -> pl.DataFrame:
    """Merchants at which erased customers paid, and until which day they did."""
    schema = {MERCHANT_ID: pl.String(), EVENT_DATE: pl.Date()}
    return lake.read(MERCHANTS, [*schema]) if lake.exists(MERCHANTS) else pl.DataFrame(schema=schema)


def blurred(lake: Lake, first: date) -> pl.DataFrame:
    """Merchants (merchant_id) whose windows of the day `first`, or later, may hold erased transactions."""
    known = merchants(lake)
    days = Catalog(CATALOG.entities[MERCHANT]).reach_days
    seen = known if days is None else known.filter(pl.col(EVENT_DATE) >= first - timedelta(days=days))
    return seen.select(MERCHANT_ID).unique()


def among(settings: Settings, hashes: frozenset[str]) -> IsErased:
    """Raises PanKeyMissing where there are tombstones and no key."""
    if not hashes:
        return lambda _: False
    key = pan_key(settings)
    return lambda customer_id: customer_hash(customer_id, key) in hashes


def admission(settings: Settings, lake: Lake) -> Admit:
    """What the lake's writers let through: rows of customers who were not erased."""

    def admit(frame: pl.DataFrame) -> pl.DataFrame:
        hashes = tombstones(lake)
        return without(frame, among(settings, hashes)) if hashes else frame

    return admit


def without(frame: pl.DataFrame, is_erased: IsErased) -> pl.DataFrame:
    return frame.filter(~about(frame, is_erased))


def about(frame: pl.DataFrame, is_erased: IsErased) -> pl.Series:
    """Which rows are about such a customer (bool [n]); a table without customers and values has none."""
    if CUSTOMER in frame.columns:
        found = [one for one in frame[CUSTOMER].drop_nulls().unique() if is_erased(one)]
        return frame[CUSTOMER].is_in(found).fill_null(value=False)
    return pl.Series([names(value, is_erased) for value in _values(frame)], dtype=pl.Boolean)


def names(value: bytes | None, is_erased: IsErased) -> bool:
    """Whether a message is about such a customer; where it names none readably, any of its words may be."""
    if value is None:
        return False
    try:
        found = _decode(value).customer_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if isinstance(found, str):
        return is_erased(found)
    return any(map(is_erased, _words(value.decode(errors="replace"))))


def _words(text: str) -> Iterator[str]:
    """What in a text may be an id: between any two colons of a word, without punctuation around it."""
    for word in _WORD.findall(text):
        parts = word.split(":")
        for start in range(len(parts)):
            for end in range(start + 1, min(start + _MOST_PARTS, len(parts)) + 1):
                yield ":".join(parts[start:end]).strip("._-")


def may_name(frame_columns: list[str], customer_id: str) -> pl.Expr:
    """Rows that can be about the customer, and few others: cheap, where `about` looks at each value."""
    if CUSTOMER in frame_columns:
        return pl.col(CUSTOMER) == customer_id
    found = pl.lit(value=False)
    if VALUE in frame_columns:
        # JSON may spell any letter as an escape.
        escaped = pl.col(VALUE).str.contains("\\u", literal=True)
        found |= (pl.col(VALUE).str.contains(customer_id, literal=True) | escaped).fill_null(value=False)
    if BASE64 in frame_columns:
        found |= pl.col(BASE64).is_not_null()
    return found


def _values(frame: pl.DataFrame) -> Iterator[bytes | None]:
    nothing = pl.lit(None, pl.String)
    columns = [pl.col(name) if name in frame.columns else nothing.alias(name) for name in (VALUE, BASE64)]
    for value, encoded in frame.select(columns).iter_rows():
        yield value.encode() if value is not None else None if encoded is None else b64decode(encoded)
