"""Quarantined rows of the past, each with what became of it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE, QUARANTINED, event_date, records_of
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.features.labels import KEY
from bdp_assets.ingest import corrections
from bdp_assets.ingest.corrections import COPY, IDENTITY, Action
from bdp_assets.ingest.tables import rows
from bdp_assets.ingest.validation import SOURCE as HISTORY
from bdp_assets.operations.quarantine.places import Place

STATUS = "status"
STEP = "validate"
"""What refused the rows; `when: {step: ...}` of a fix."""
_OF_ACT = ("act_id", "acted_ms", "acted_by", "value", *KEY, "ts_ms")


class Status(StrEnum):
    """`releasing`: released, but not in the table `features` yet; the next release sees to it."""

    OPEN = "open"
    FIXED = "fixed"
    RELEASING = "releasing"
    RELEASED = "released"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Rows that match all of it; None matches any. Days are of the event (UTC), both included."""

    error: str | None = None
    field: str | None = None
    status: str | None = None
    first: date | None = None
    last: date | None = None

    @property
    def is_empty(self) -> bool:
        return self == Filter()

    @property
    def days(self) -> tuple[date, date]:
        return self.first or date.min, self.last or date.max

    def expression(self) -> pl.Expr:
        wanted = {"error": self.error, "field": self.field, STATUS: self.status}
        return pl.all_horizontal(
            pl.lit(value=True), *(pl.col(name).eq_missing(value) for name, value in wanted.items() if value)
        )


@dataclass(frozen=True)
class Row:
    """A quarantined row; `value`: what it was fixed to, and `by` whom, if it was."""

    place: Place
    letter: DeadLetter
    copy: int
    status: Status
    act_id: str | None
    acted_ms: int | None
    by: str | None
    value: str | None

    @property
    def step(self) -> str:
        return STEP

    @property
    def original(self) -> bytes:
        return b64decode(self.letter.value_base64)

    @property
    def identity(self) -> dict[str, Any]:
        """See `corrections.IDENTITY`."""
        parts = (self.place.day, self.letter.value_base64, self.copy)
        return dict(zip(IDENTITY, parts, strict=True))


def refused(lake: Lake, days: tuple[date, date] = (date.min, date.max)) -> pl.DataFrame:
    """The lake's quarantined rows of the past of those days, with `COPY`, `STATUS`, and the act behind it."""
    found = rows(lake, "quarantined", None, days, pl.col("source_topic") == HISTORY)
    acts = corrections.latest(lake)
    known = acts.select(*IDENTITY, "action", *_OF_ACT).join(
        arrived(lake, acts).with_columns(there=pl.lit(value=True)), on=KEY, how="left"
    )
    return (
        corrections.numbered(found)
        .join(known, on=IDENTITY, how="left", maintain_order="left")
        .with_columns(_status().alias(STATUS))
    )


def arrived(lake: Lake, acts: pl.DataFrame) -> pl.DataFrame:
    """Keys of released corrections that are in the table `features`, where a backfill ends."""
    released = acts.filter(action=Action.RELEASED.value).select(*KEY, event_date("ts_ms"))
    if released.is_empty():
        return released.select(KEY)
    first, last = released[EVENT_DATE].min(), released[EVENT_DATE].max()
    wanted = pl.col("transaction_id").is_in(released["transaction_id"].to_list())
    there = rows(lake, "features", KEY, (first, last), wanted)  # type: ignore[arg-type]
    return released.join(there, on=KEY, how="semi").select(KEY).unique()


def _status() -> pl.Expr:
    released = pl.col("action") == Action.RELEASED.value
    return (
        pl.when(released & pl.col("there").is_not_null())
        .then(pl.lit(Status.RELEASED.value))
        .when(released)
        .then(pl.lit(Status.RELEASING.value))
        .when(pl.col("action") == Action.FIXED.value)
        .then(pl.lit(Status.FIXED.value))
        .otherwise(pl.lit(Status.OPEN.value))
    )


def as_rows(found: pl.DataFrame) -> list[Row]:
    """Rows of the frame that `refused` gives."""
    letters = records_of(found.select(QUARANTINED.names()), DeadLetter)
    return [_row(letter, row) for letter, row in zip(letters, found.iter_rows(named=True), strict=True)]


def _row(letter: DeadLetter, row: dict[str, Any]) -> Row:
    return Row(
        place=Place(row[EVENT_DATE], letter.source_offset),
        letter=letter,
        copy=row[COPY],
        status=Status(row[STATUS]),
        act_id=row["act_id"],
        acted_ms=row["acted_ms"],
        by=row["acted_by"],
        value=row["value"],
    )


def matching(lake: Lake, chosen: Filter, most: int | None = None) -> list[Row]:
    """In order of day and offset, the first `most`; None: all."""
    found = refused(lake, chosen.days).filter(chosen.expression())
    return as_rows(found if most is None else found.head(most))


def at(lake: Lake, places: Sequence[Place]) -> list[Row]:
    """The rows at those places, as far as there are any."""
    if not places:
        return []
    days = min(place.day for place in places), max(place.day for place in places)
    offsets = [place.offset for place in places]
    near = refused(lake, days).filter(pl.col("source_offset").is_in(offsets))
    wanted = set(places)
    return [row for row in as_rows(near) if row.place in wanted]
