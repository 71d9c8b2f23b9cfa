"""What `bdp dlq list` and `show` are told: the index brought up to date, or as it was where Kafka is away."""

from __future__ import annotations

import polars as pl

from bdp_assets.clients.kafka import KafkaUnavailable, topic_ids
from bdp_assets.clients.postgres import WarehouseUnavailable, session
from bdp_assets.contracts.topics import DLQ
from bdp_assets.operations.dead_letters import query
from bdp_assets.operations.dead_letters.entries import Entry
from bdp_assets.operations.dead_letters.index import bring_up_to_date
from bdp_assets.operations.dead_letters.query import ByError, Filter, Row, Status
from bdp_assets.settings import Settings

Stale = str | None
"""Why the index could not be brought up to date."""


def letters(settings: Settings, chosen: Filter, most: int) -> tuple[list[Row], Stale]:
    """The last letters that match, oldest first. Raises WarehouseUnavailable, KafkaRefused."""
    topic_id, stale = _present(settings)
    with session(settings) as connection:
        return query.last_rows(connection, topic_id, chosen, most), stale


def errors(settings: Settings, chosen: Filter) -> tuple[list[ByError], Stale]:
    """How many letters that match are alike. Raises WarehouseUnavailable, KafkaRefused."""
    topic_id, stale = _present(settings)
    with session(settings) as connection:
        return query.by_error(connection, topic_id, chosen), stale


def indexed(settings: Settings) -> tuple[int, pl.DataFrame]:
    """Bring the index up to date: letters that were read, and a row for each kind of open letter.

    Raises WarehouseUnavailable, KafkaUnavailable, KafkaRefused.
    """
    count = bring_up_to_date(settings)
    groups, _ = errors(settings, Filter(status=Status.OPEN))
    return count, pl.DataFrame(groups, ByError._fields, orient="row")


def became(settings: Settings, entry: Entry) -> str:
    """A sentence: what became of a letter, or why nobody knows. Raises KafkaUnavailable, KafkaRefused."""
    topic_id = topic_ids(settings, [DLQ.name])[DLQ.name]
    try:
        bring_up_to_date(settings)
        with session(settings) as connection:
            (row,) = query.rows_at(connection, topic_id, [entry.place])
    except WarehouseUnavailable as error:
        return f"unknown, the index does not answer. {error}"
    if row.replayed_at is None:
        return row.status
    return f"{row.status} at {row.replayed_at:%Y-%m-%d %H:%M:%SZ} by replay {row.replay_id}"


def _present(settings: Settings) -> tuple[str | None, Stale]:
    """Id of the present topic, whose letters the index has; without Kafka, the index as it was."""
    try:
        bring_up_to_date(settings)
        return topic_ids(settings, [DLQ.name])[DLQ.name], None
    except KafkaUnavailable as error:
        return None, str(error)
