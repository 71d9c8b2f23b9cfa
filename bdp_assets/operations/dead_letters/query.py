"""What is asked of the index: letters by filter, one letter, and numbers by error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from bdp_assets.clients.postgres import Connection, as_objects
from bdp_assets.operations.dead_letters.entries import Place

_MATCHES = """
    (%(topic_id)s::text IS NULL OR dlq_topic_id = %(topic_id)s)
    AND (%(error)s::text IS NULL OR error = %(error)s)
    AND (%(field)s::text IS NULL OR field = %(field)s)
    AND (%(source_topic)s::text IS NULL OR source_topic = %(source_topic)s)
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(since)s::timestamptz IS NULL OR refused_at >= %(since)s)
"""
_LAST = f"""
    SELECT * FROM (
        SELECT * FROM warehouse.dead_letter_states WHERE {_MATCHES}
        ORDER BY refused_at DESC, dlq_partition DESC, dlq_offset DESC LIMIT %(limit)s
    ) AS last ORDER BY refused_at, dlq_partition, dlq_offset
"""  # noqa: S608 - no value is in it
_AT = """
    SELECT * FROM warehouse.dead_letter_states
    WHERE dlq_topic_id = %s AND (dlq_partition, dlq_offset) IN (SELECT * FROM unnest(%s::int[], %s::bigint[]))
    ORDER BY dlq_partition, dlq_offset
"""
_BY_ERROR = f"""
    SELECT error, field, step, source_topic, status, count(*) AS letters, max(refused_at) AS last_refused_at
    FROM warehouse.dead_letter_states WHERE {_MATCHES}
    GROUP BY error, field, step, source_topic, status ORDER BY letters DESC, error, field, step, status
"""  # noqa: S608 - no value is in it
_SPANS = {"m": "minutes", "h": "hours", "d": "days"}


class Status(StrEnum):
    """What became of a letter; `sending`: a replay was interrupted, and the next one finds out."""

    OPEN = "open"
    SENDING = "sending"
    REPLAYED = "replayed"
    FIXED = "fixed"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Letters that match all of it; None matches any. `since`: refused then (UTC) or later."""

    error: str | None = None
    field: str | None = None
    source_topic: str | None = None
    status: str | None = None
    since: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self == Filter()


@dataclass(frozen=True)
class Row:
    """A letter as the index has it, with what became of it; times are UTC."""

    dlq_topic_id: str
    dlq_partition: int
    dlq_offset: int
    source_topic: str
    source_partition: int
    source_offset: int
    received_at: datetime
    refused_at: datetime
    step: str
    error: str
    field: str | None
    message: str
    masked: bool
    pan_hashes: list[str]
    schema_version: int
    trace_id: str
    replay_of: str | None
    status: str
    replayed_at: datetime | None
    replay_id: str | None

    @property
    def place(self) -> Place:
        return Place(self.dlq_partition, self.dlq_offset)


class ByError(NamedTuple):
    """Number of letters that are alike."""

    error: str
    field: str | None
    step: str
    source_topic: str
    status: str
    letters: int
    last_refused_at: datetime


def last_rows(connection: Connection, topic_id: str | None, chosen: Filter, most: int | None) -> list[Row]:
    """The last `most` letters that match, oldest first; None: all. `topic_id` None: of former topics, too."""
    return as_objects(connection, Row, _LAST, {**vars(chosen), "topic_id": topic_id, "limit": most})


def rows_at(connection: Connection, topic_id: str, places: Sequence[Place]) -> list[Row]:
    """The letters at those places, as far as they are in the index."""
    partitions, offsets = [p.partition for p in places], [p.offset for p in places]
    return as_objects(connection, Row, _AT, [topic_id, partitions, offsets])


def by_error(connection: Connection, topic_id: str | None, chosen: Filter) -> list[ByError]:
    """How many letters that match are alike, most first."""
    return as_objects(connection, ByError, _BY_ERROR, {**vars(chosen), "topic_id": topic_id})


def since(text: str, now: datetime) -> datetime:
    """A moment: `90m`, `2h` or `7d` before `now`, or an ISO date or time, UTC where it names no offset.

    Raises ValueError.
    """
    number, unit = text[:-1], text[-1:]
    if number.isdecimal() and unit in _SPANS:
        return now - timedelta(**{_SPANS[unit]: int(number)})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write 90m, 2h, 7d, 2026-01-31 or 2026-01-31T10:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_json(row: Row) -> dict[str, Any]:
    """For a program: the columns, and the place as commands take it."""
    return {"place": str(row.place), **vars(row)}
