"""The index of dead letters in the warehouse: follows the topic to its end, each letter once.

The offsets that it has reached are in the same PostgreSQL transaction as its rows. Whoever asks the index
brings it up to date first, and several may at once: a row that is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bdp_assets.clients.kafka import Message, ends, stream_range, topic_ids, watermarks
from bdp_assets.clients.postgres import Connection, session
from bdp_assets.contracts.topics import DLQ
from bdp_assets.operations.dead_letters.entries import Entry, entries_of
from bdp_assets.settings import Settings

COLUMNS = (
    *("dlq_topic_id", "dlq_partition", "dlq_offset", "source_topic", "source_partition", "source_offset"),
    *("received_at", "refused_at", "step", "error", "field", "message", "masked", "pan_hashes"),
    *("schema_version", "trace_id", "replay_of"),
)
_INSERT = (
    f"INSERT INTO warehouse.dead_letters ({', '.join(COLUMNS)}) "  # noqa: S608 - names of our own
    f"VALUES ({', '.join(f'%({name})s' for name in COLUMNS)}) ON CONFLICT DO NOTHING"
)
_REACH = (
    "INSERT INTO warehouse.dead_letter_offsets AS stored VALUES (%s, %s, %s) "
    "ON CONFLICT (dlq_topic_id, dlq_partition) "
    "DO UPDATE SET next_offset = greatest(stored.next_offset, excluded.next_offset)"
)
_REACHED = "SELECT dlq_partition, next_offset FROM warehouse.dead_letter_offsets WHERE dlq_topic_id = %s"


def bring_up_to_date(settings: Settings) -> int:
    """Index every letter up to the topic's present end; returns how many were read.

    Raises WarehouseUnavailable, KafkaUnavailable, KafkaRefused, OffsetsGone.
    """
    marks = watermarks(settings, [DLQ.name])
    topic_id = topic_ids(settings, [DLQ.name])[DLQ.name]
    count = 0
    with session(settings) as connection:
        reached = dict(connection.execute(_REACHED, [topic_id]).fetchall())
        # Letters that retention took before anybody looked are in the lake's table `quarantined`.
        ranges = {
            (topic, partition): (max(low, reached.get(partition, 0)), end)
            for (topic, partition), (low, end) in marks.items()
        }
        for batch in stream_range(settings, ranges):
            _write(connection, topic_id, batch)
            count += len(batch)
        # The last offsets may be transaction markers, which never come out.
        _reach(connection, topic_id, {partition: end for (_, partition), (_, end) in ranges.items()})
    return count


def _write(connection: Connection, topic_id: str, batch: Sequence[Message]) -> None:
    """Rows and offsets, committed together."""
    # Always in one order: two that follow the topic at once must not wait for each other.
    entries = sorted(entries_of(batch), key=lambda entry: entry.place)
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, [_row(topic_id, entry) for entry in entries])
    _reach(connection, topic_id, {partition: offset for _, partition, offset in ends(batch)})
    connection.commit()


def _reach(connection: Connection, topic_id: str, offsets: Mapping[int, int]) -> None:
    for partition, offset in sorted(offsets.items()):
        connection.execute(_REACH, [topic_id, partition, offset])


def _row(topic_id: str, entry: Entry) -> dict[str, Any]:
    letter = entry.letter
    return {
        "dlq_topic_id": topic_id,
        "dlq_partition": entry.place.partition,
        "dlq_offset": entry.place.offset,
        "source_topic": letter.source_topic,
        "source_partition": letter.source_partition,
        "source_offset": letter.source_offset,
        "received_at": _time(letter.received_ms),
        "refused_at": _time(entry.refused_ms),
        "step": entry.step,
        "error": letter.error,
        "field": letter.field,
        "message": letter.message,
        "masked": letter.masked,
        "pan_hashes": letter.pan_hashes,
        "schema_version": letter.schema_version,
        "trace_id": entry.trace_id,
        "replay_of": entry.replay_of,
    }


def _time(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
