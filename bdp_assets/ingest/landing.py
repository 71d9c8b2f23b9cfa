"""From topics to the lake: exact offset ranges of a topic become rows of its Delta table, once.

What a topic holds beside its contract's records (it should not: only our workers write there) is quarantined,
so that one bad message never holds up the rest. What is about a customer who was erased is dropped.
"""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import msgspec
import polars as pl

from bdp_assets.clients.kafka import Message, stream_range
from bdp_assets.clients.lake import Admit, Lake, OffsetRange
from bdp_assets.contracts import columns, topics
from bdp_assets.contracts.adjustments import decode_adjustment
from bdp_assets.contracts.dead_letters import content
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.headers import SOURCE
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.pan import mask_pans
from bdp_assets.contracts.records import (
    Adjustment,
    Alert,
    DeadLetter,
    Door,
    EnrichedTransaction,
    Label,
    Prediction,
    ValidatedTransaction,
)
from bdp_assets.ingest.audit import audit
from bdp_assets.ingest.erased import admission
from bdp_assets.ingest.tables import DOOR, SOURCE_COLUMNS, TABLES
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings

NOT_DECODABLE = "not_decodable"
QUARANTINED = "quarantined"


@dataclass(frozen=True)
class TopicRange:
    """Offsets `start` up to, not including, `end` of one partition of the topic with that unique id."""

    topic: str
    topic_id: str
    partition: int
    start: int
    end: int
    earliest: int
    """First offset that the topic had when the range was cut."""
    latest: int | None = None
    """The end that the partition had then: this range stops short of it when there was too much for one."""

    @property
    def is_behind(self) -> bool:
        return self.latest is not None and self.end < self.latest


@dataclass(frozen=True)
class Destination:
    """A topic's table and how messages become its rows; without a record they land as they travelled."""

    topic: str
    table: str
    record: type[msgspec.Struct] | None = None
    day_of: str = "ts_ms"
    check: Callable[..., msgspec.Struct] | None = None
    """The contract's own door, for a topic that others write too: decode(value, received_ms=...)."""

    def application_id(self, cut: TopicRange) -> str:
        return f"{self.table}:{cut.topic_id}:{cut.partition}"


DESTINATIONS: Mapping[str, Destination] = {
    destination.topic: destination
    for destination in (
        Destination(topics.RAW.name, "raw"),
        Destination(topics.VALIDATED.name, "validated", ValidatedTransaction),
        Destination(topics.DLQ.name, QUARANTINED, DeadLetter, "received_ms"),
        Destination(topics.ENRICHED.name, "enriched", EnrichedTransaction),
        Destination(topics.PREDICTIONS.name, "predictions", Prediction),
        Destination(topics.ALERTS.name, "alerts", Alert),
        Destination(topics.LABELS.name, "labels", Label, "known_at_ms", check=decode_label),
        Destination(topics.ADJUSTMENTS.name, "adjustments", Adjustment, check=decode_adjustment),
    )
}


@dataclass(frozen=True)
class Landed:
    """What one topic's ranges hold, whether this attempt wrote it or one before it.

    Nothing was written when the audit found `failures`.
    """

    destination: Destination
    ranges: Sequence[TopicRange]
    rows: pl.DataFrame
    rejects: pl.DataFrame
    """Quarantined rows."""
    failures: pl.DataFrame
    """What keeps the rows from being published, see `audit`."""

    @property
    def rows_by_day(self) -> dict[date, int]:
        counts = self.rows.group_by(columns.EVENT_DATE).len().sort(columns.EVENT_DATE)
        return dict(counts.iter_rows())


def land(settings: Settings, lake: Lake, ranges: Sequence[TopicRange]) -> Landed:
    """Land ranges of one topic: read exactly them, quarantine what does not decode, audit, append.

    Rows of customers who were erased count as landed, but are not written.

    Raises LandingGap, OffsetsGone, PanKeyMissing, KafkaUnavailable.
    """
    destination = DESTINATIONS[ranges[0].topic]
    key = pan_key(settings)
    messages = _read(settings, ranges)
    cuts = [(cut, *_decoded(destination, messages[cut.partition], key)) for cut in ranges]
    rejects = pl.concat([rejected for _, _, rejected in cuts])
    # Before the rows: repeated, it replaces itself, whereas the rows' range then is there already.
    admit = admission(settings, lake)
    _quarantine(lake, ranges, rejects, admit)
    offsets = [
        OffsetRange(destination.application_id(cut), cut.start, cut.end, rows, cut.earliest)
        for cut, rows, _ in cuts
    ]
    rows = pl.concat([rows for _, rows, _ in cuts], how="diagonal")
    failures = audit(destination.table, rows)
    if failures.is_empty():
        lake.land_ranges(destination.table, offsets, admit)
    return Landed(destination, tuple(ranges), rows, rejects, failures)


def _read(settings: Settings, ranges: Sequence[TopicRange]) -> Mapping[int, list[Message]]:
    messages: dict[int, list[Message]] = defaultdict(list)
    wanted = {(cut.topic, cut.partition): (cut.start, cut.end) for cut in ranges}
    for batch in stream_range(settings, wanted):
        for message in batch:
            messages[message.partition].append(message)
    return messages


def _decoded(
    destination: Destination, messages: Sequence[Message], key: bytes
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of the table, and of the quarantine."""
    if destination.record is None:
        return _as_travelled(messages, key), columns.to_frame([], DeadLetter, "received_ms")
    decode = _decoder(destination, destination.record)
    records, kept, rejected = [], [], []
    for message in messages:
        try:
            records.append(decode(message))
        except ContractError as error:
            rejected.append(_not_decodable(message, key, error.field, error.message))
        except (msgspec.DecodeError, UnicodeDecodeError):
            rejected.append(_not_decodable(message, key))
        else:
            kept.append(message)
    rows = _table_rows(destination, destination.record, records)
    if SOURCE_COLUMNS[0] in TABLES[destination.table]:
        rows = rows.hstack(_sources(kept)).select(TABLES[destination.table].names())
    return rows, columns.to_frame(rejected, DeadLetter, "received_ms")


def _decoder(destination: Destination, record: type[msgspec.Struct]) -> Callable[[Message], msgspec.Struct]:
    check, plain = destination.check, msgspec.json.Decoder(record).decode
    if check is None:
        return lambda message: plain(message.value or b"")
    return lambda message: check(message.value, received_ms=message.timestamp_ms)


def _sources(messages: Sequence[Message]) -> pl.DataFrame:
    """The raw message that each of them came from; null where its header does not say so."""
    schema = {name: TABLES["validated"][name] for name in SOURCE_COLUMNS}
    return pl.DataFrame([_source(message) for message in messages], schema, orient="row")


def _source(message: Message) -> tuple[str | None, int | None, int | None]:
    topic_id, *place = (message.header(SOURCE) or b"").decode(errors="replace").split(":")
    if len(place) != 2 or not all(number.isdecimal() for number in place):
        return None, None, None
    return topic_id, int(place[0]), int(place[1])


def _table_rows(
    destination: Destination, record: type[msgspec.Struct], records: Sequence[msgspec.Struct]
) -> pl.DataFrame:
    # While a catalog changes, records of both versions come, each with its own features.
    runs = [list(run) for _, run in groupby(records, lambda row: getattr(row, "catalog_version", None))]
    frames = [columns.to_frame(run, record, destination.day_of) for run in runs or [[]]]
    rows = pl.concat(frames, how="diagonal")
    if DOOR in TABLES[destination.table] and DOOR not in rows.columns:
        rows = rows.with_columns(pl.lit(Door.STREAM.value).alias(DOOR))
    return rows


def _as_travelled(messages: Sequence[Message], key: bytes) -> pl.DataFrame:
    """Rows of `raw`. Card numbers are masked: the lake keeps for years what the topic keeps for days."""
    rows = [
        (
            message.topic,
            message.partition,
            message.offset,
            message.timestamp_ms,
            *_kept(message.value, key),
            Door.STREAM.value,
        )
        for message in messages
    ]
    schema = {name: dtype for name, dtype in columns.RAW.items() if name != columns.EVENT_DATE}
    return pl.DataFrame(rows, schema, orient="row").with_columns(columns.event_date("received_ms"))


def _kept(value: bytes | None, key: bytes) -> tuple[str | None, str | None, list[str]]:
    """The value as text, or in base64 if it is none; and the hashes of its card numbers."""
    if value is None:
        return None, None, []
    masked, hashes = mask_pans(value, key)
    try:
        return masked.decode(), None, hashes
    except UnicodeDecodeError:
        return None, b64encode(masked).decode(), hashes


_NO_RECORD = "The message is no record of this topic. Only the platform's workers should write there."


def _not_decodable(
    message: Message, key: bytes, field: str | None = None, says: str = _NO_RECORD
) -> DeadLetter:
    return DeadLetter(
        source_topic=message.topic,
        source_partition=message.partition,
        source_offset=message.offset,
        received_ms=message.timestamp_ms,
        error=NOT_DECODABLE,
        field=field,
        message=says,
        **content(message.value, key),
    )


def _quarantine(lake: Lake, ranges: Sequence[TopicRange], rejects: pl.DataFrame, admit: Admit) -> None:
    """Rejects take the place of those that an earlier attempt at the same ranges wrote."""
    for cut in ranges:
        rejected = rejects.filter(source_partition=cut.partition)
        if not rejected.is_empty():
            lake.replace(
                QUARANTINED,
                rejected,
                f"error = '{NOT_DECODABLE}' AND source_topic = '{cut.topic}' "
                f"AND source_partition = {cut.partition} "
                f"AND source_offset >= {cut.start} AND source_offset < {cut.end}",
                admit,
            )
