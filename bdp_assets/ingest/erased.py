"""Customers who were erased (`bdp erase`): what comes of their past later, by whichever door, is dropped.

The lake's table `erased` has a tombstone of each (see `contracts/erasure`): it can be compared with an id
that comes, and tells nothing to whoever lacks the key. It is read within each attempt at a commit, after the
state of the table that is written to. An erasure writes its tombstone first and then changes each table's
metadata, which no commit passes that began before: whoever commits later has seen the tombstone.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl

from bdp_assets.clients.lake import Admit, Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.erasure import NOBODY, IsErased, Tombstones, names
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.spec import MERCHANT, MERCHANT_ID, Catalog
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings

TABLE, MERCHANTS = "erased", "erased_merchants"
CUSTOMER, VALUE, BASE64 = "customer_id", "value", "value_base64"
_HASH, _UNTIL = "customer_hash", "until_ms"
_OF_ANOTHER = "original_transaction_id"
"""Of rows whose time is not that of the transaction that they are about."""


def bury(lake: Lake, hashed: str, until_ms: int) -> None:
    """Keep a tombstone: what the customer did until then (UTC epoch milliseconds) is erased."""
    if until_ms > tombstones(lake).get(hashed, -1):
        today = datetime.now(UTC).date()
        lake.append(TABLE, pl.DataFrame({_HASH: [hashed], _UNTIL: [until_ms], EVENT_DATE: [today]}))


def tombstones(lake: Lake) -> Mapping[str, int]:
    """Hash -> until when that customer was erased, in UTC epoch milliseconds."""
    if not lake.exists(TABLE):
        return {}
    known = lake.read(TABLE)
    # Tombstones of before there was a moment in them: the end of their day.
    day_ends = pl.col(EVENT_DATE).dt.offset_by("1d").cast(pl.Datetime("ms")).dt.epoch("ms") - 1
    until_ms = pl.coalesce(pl.col(_UNTIL), day_ends) if _UNTIL in known.columns else day_ends
    return dict(known.group_by(_HASH).agg(until_ms.max()).iter_rows())


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


def of(settings: Settings, lake: Lake) -> Tombstones:
    """Raises PanKeyMissing where there are tombstones and no key."""
    known = tombstones(lake)
    return Tombstones(known, pan_key(settings)) if known else NOBODY


def admission(settings: Settings, lake: Lake) -> Admit:
    """What the lake's writers let through: all rows but those of what was erased."""

    def admit(frame: pl.DataFrame) -> pl.DataFrame:
        known = of(settings, lake)
        return without(frame, known.cover) if known else frame

    return admit


def without(frame: pl.DataFrame, is_erased: IsErased) -> pl.DataFrame:
    return frame.filter(~about(frame, is_erased))


def about(frame: pl.DataFrame, is_erased: IsErased) -> pl.Series:
    """Which rows are about what is erased (bool [n]); a table without customers and values has none."""
    if CUSTOMER not in frame.columns:
        return pl.Series([names(value, is_erased) for value in _values(frame)], dtype=pl.Boolean)
    known = [one for one in frame[CUSTOMER].drop_nulls().unique() if is_erased(one, None)]
    theirs = frame[CUSTOMER].is_in(known).fill_null(value=False)
    if not known:
        return theirs
    told = zip(theirs, frame[CUSTOMER], _moments(frame), strict=True)
    return pl.Series([his and is_erased(one, ts_ms) for his, one, ts_ms in told], dtype=pl.Boolean)


def _moments(frame: pl.DataFrame) -> pl.Series:
    """When the transactions of rows of lake or warehouse took place (UTC epoch milliseconds, or null)."""
    if _OF_ANOTHER not in frame.columns:
        if "ts_ms" in frame.columns:
            return frame["ts_ms"]
        if "occurred_at" in frame.columns:
            return frame["occurred_at"].dt.epoch("ms")
    return pl.Series([None] * len(frame), dtype=pl.Int64)


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
