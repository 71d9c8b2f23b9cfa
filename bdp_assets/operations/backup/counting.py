"""What is in each store of data, counted while nobody writes: the same at a backup and at its return."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bdp_assets.clients import redis
from bdp_assets.clients.kafka import committed_offsets, topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import row_counts
from bdp_assets.contracts.topics import TOPICS
from bdp_assets.operations.backup.manifest import Counts
from bdp_assets.operations.verify.lag import READERS
from bdp_assets.runtime.postgres import DATABASES
from bdp_assets.settings import Settings

STORES = ("postgres", "redis", "kafka")
"""The programs that have to run for this."""


def count(settings: Settings) -> Counts:
    """Raises WarehouseUnavailable, KafkaUnavailable, KafkaRefused, StoreUnavailable."""
    return {
        "postgres": dict(_rows(settings)),
        "topics": dict(_ends(settings)),
        "groups": dict(_positions(settings)),
        "lake": dict(_lake(settings)),
        "store": _keys(settings),
    }


def differences(before: Counts, after: Counts) -> list[str]:
    """Where the two differ, a sentence each."""
    names = sorted(
        {(store, name) for counts in (before, after) for store in counts for name in counts[store]}
    )
    pairs = (
        (f"{store}: {name}", before.get(store, {}).get(name), after.get(store, {}).get(name))
        for store, name in names
    )
    return [f"{name} was {_told(was)}, is {_told(now)}" for name, was, now in pairs if was != now]


def _told(number: int | None) -> str:
    return "not there" if number is None else f"{number:,}"


def _rows(settings: Settings) -> Iterator[tuple[str, int]]:
    """`database.schema.table` -> rows."""
    for database in DATABASES:
        for table, rows in row_counts(settings, database).items():
            yield f"{database}.{table}", rows


def _ends(settings: Settings) -> Iterator[tuple[str, int]]:
    """`topic:topic-id:partition` -> its end. Beginnings move as retention deletes, ends do not."""
    ends = watermarks(settings, list(TOPICS), committed=False)
    names = sorted({topic for topic, _ in ends})
    ids = topic_ids(settings, names) if names else {}
    for (topic, partition), (_, end) in sorted(ends.items()):
        yield f"{topic}:{ids[topic]}:{partition}", end


def _positions(settings: Settings) -> Iterator[tuple[str, int]]:
    """`group:topic:partition` -> the offset at which the group goes on."""
    for group, topic in READERS.items():
        for (name, partition), offset in sorted(committed_offsets(settings, group, [topic.name]).items()):
            yield f"{group}:{name}:{partition}", offset


def _lake(settings: Settings) -> Iterator[tuple[str, int]]:
    lake = Lake.of(settings)
    for log in sorted(Path(settings.lake).glob("*/_delta_log")):
        table = log.parent.name
        yield f"{table} version", lake.version(table)
        yield f"{table} rows", lake.count(table)


def _keys(settings: Settings) -> dict[str, int]:
    """Those that have no end of life; others may be over it when the backup comes back."""
    return {"keys without an end": redis.lasting_keys(redis.connect(settings))}
