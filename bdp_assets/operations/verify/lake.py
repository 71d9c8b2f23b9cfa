"""Delta rows == topic rows: of each topic's offsets that have landed, every message is one row.

The table's snapshot says up to which offset its rows are; messages before it are counted while the topics are
read. Rows that came from files are no messages, and do not count. Nor do messages of customers who were
erased.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import polars as pl

from bdp_assets.clients.kafka import Message, topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.erasure import IsErased, names
from bdp_assets.contracts.records import DeadLetter, Door
from bdp_assets.contracts.topics import DLQ
from bdp_assets.ingest import erased
from bdp_assets.ingest.landing import DESTINATIONS, NOT_DECODABLE, QUARANTINED
from bdp_assets.ingest.tables import DOOR
from bdp_assets.ingest.validation import SOURCE as HISTORY
from bdp_assets.operations.batch_decisions import DECIDED_BY
from bdp_assets.operations.ledger import Equation
from bdp_assets.settings import Settings

Partition = tuple[str, int]
_decode_letter = msgspec.json.Decoder(DeadLetter).decode


@dataclass(frozen=True)
class Landed:
    """What the lake has of the topics: the offset after the last one that landed, and rows by topic.

    `cut`: topics of which retention has removed messages whose rows the lake keeps.
    """

    ends: Mapping[Partition, int]
    rows: Mapping[str, int]
    cut: frozenset[str]
    is_erased: IsErased = lambda _, __: False


class Counted:
    """Counts messages that have landed, batch by batch."""

    def __init__(self, landed: Landed) -> None:
        self._landed = landed
        self._messages: Counter[str] = Counter()

    def add(self, batch: Sequence[Message]) -> None:
        ends = self._landed.ends
        for message in batch:
            landed = message.offset < ends.get((message.topic, message.partition), 0)
            if landed and not names(_content(message), self._landed.is_erased):
                self._messages[message.topic] += 1

    def equations(self) -> tuple[Equation, ...]:
        """One a topic that has a table."""
        return tuple(
            Equation(
                f"{topic}, landed = rows of {DESTINATIONS[topic].table}",
                self._messages[topic],
                self._landed.rows[topic],
                at_least=topic in self._landed.cut,
            )
            for topic in DESTINATIONS
        )


def read_landed(settings: Settings, lake: Lake) -> Landed:
    """Of one version of each table. Raises KafkaUnavailable, KafkaRefused."""
    marks = watermarks(settings, list(DESTINATIONS))
    ids = topic_ids(settings, sorted({topic for topic, _ in marks}))
    versions = {name: lake.version(name) for name in _tables() if lake.exists(name)}
    ends = {}
    for topic, partition in marks:
        table = DESTINATIONS[topic].table
        if table in versions:
            end = lake.landed(table, f"{table}:{ids[topic]}:{partition}", versions[table])
            ends[topic, partition] = end or 0
    rejected = _rejected(lake, versions)
    rows = {topic: _rows(lake, topic, versions) + rejected.get(topic, 0) for topic in DESTINATIONS}
    cut = frozenset(topic for (topic, _), (low, _) in marks.items() if low > 0)
    return Landed(ends, rows, cut, erased.of(settings, lake).cover)


def _content(message: Message) -> bytes | None:
    """What somebody sent: a dead letter holds it."""
    if message.topic != DLQ.name or message.value is None:
        return message.value
    return b64decode(_decode_letter(message.value).value_base64)


def _tables() -> list[str]:
    return [destination.table for destination in DESTINATIONS.values()]


def _rows(lake: Lake, topic: str, versions: Mapping[str, int]) -> int:
    """Rows that came by the topic."""
    table = DESTINATIONS[topic].table
    if table not in versions:
        return 0
    rows = lake.scan(table, versions[table])
    return int(rows.filter(_streamed(table, rows.collect_schema().names())).select(pl.len()).collect().item())


def _streamed(table: str, columns: Sequence[str]) -> pl.Expr:
    if table == QUARANTINED:
        return (pl.col("source_topic") != HISTORY) & (pl.col("error") != NOT_DECODABLE)
    if DOOR in columns:
        return pl.col(DOOR) == Door.STREAM.value
    return pl.col("decided_by") != DECIDED_BY if "decided_by" in columns else pl.lit(value=True)


def _rejected(lake: Lake, versions: Mapping[str, int]) -> dict[str, int]:
    """Topic -> its messages that are no records of it: they land in quarantine."""
    if QUARANTINED not in versions:
        return {}
    unread = lake.scan(QUARANTINED, versions[QUARANTINED]).filter(pl.col("error") == NOT_DECODABLE)
    return dict(unread.group_by("source_topic").len().collect().iter_rows())
