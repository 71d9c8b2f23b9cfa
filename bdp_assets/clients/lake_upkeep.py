"""Upkeep of the lake's tables: small files become large ones, what nobody can ask for any more is deleted.

Writers go on meanwhile. A landing commits beside a compaction, or again after it; a compaction whose files
were replaced tries again, and in the end leaves the table to the next upkeep. Deleted are only files that no
version within the retention has, nor any version that is named to be kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from bdp_assets.clients.lake import KEEP_LOG, PARTITION_COLUMN, Lake, VersionGone, until_committed

SMALL_BYTES = 8 * 2**20
"""A smaller file is too small once its day has several."""

_FILE_RETENTION = "delta.deletedFileRetentionDuration"
LOG_RETENTION = "delta.logRetentionDuration"
_CLAIM = "bdp.upkeep"
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class TableStatistics:
    """One version of a table: its files, as its log counts them. `size` is in bytes, as stored."""

    version: int
    rows: int
    files: int
    small_files: int
    size: int


@dataclass(frozen=True)
class Upkeep:
    """What was done for one table.

    `kept`: older versions that can still be read because they are named. `gone`: those named that can not.
    `deferred`: other writers were always faster than the compaction; the next upkeep does it.
    """

    before: TableStatistics
    after: TableStatistics
    deleted_files: int
    oldest_version: int
    """The log goes back to it; of the versions before the retention only named ones have their files."""
    kept: Sequence[int]
    gone: Sequence[int]
    deferred: bool


def tend(lake: Lake, table: str, *, retention: timedelta, named: Collection[int] = ()) -> Upkeep:
    """Compact, delete old files and commits, and count. Changes no row. Raises TableMissing.

    A version can be read for `retention` after it was replaced; one that is `named`, as long as that lasts.
    """
    before = statistics(lake, table)
    kept = {version: made for version in sorted(named) if (made := _made(lake, table, version))}
    oldest_ago = max((datetime.now(UTC) - made for made in kept.values()), default=timedelta())
    # First: a compaction cuts the log by what the table says, whatever its caller wants.
    _declare(lake, table, files=retention, log=max(retention, oldest_ago))
    deferred = before.small_files > 0 and not _compacted(lake, table)
    lake.delta(table).create_checkpoint()
    deleted = _delete_files(lake, table, retention, list(kept))
    lake.delta(table).cleanup_metadata()
    return Upkeep(
        before=before,
        after=statistics(lake, table),
        deleted_files=deleted,
        oldest_version=_oldest_version(lake, table),
        kept=list(kept),
        gone=sorted(set(named) - kept.keys()),
        deferred=deferred,
    )


def statistics(lake: Lake, table: str) -> TableStatistics:
    """Of the table as it is now. Raises TableMissing."""
    target = lake.delta(table)
    files = pl.DataFrame(target.get_add_actions(flatten=True))
    day = f"partition.{PARTITION_COLUMN}"
    small = files.filter((pl.col("size_bytes") < SMALL_BYTES) & (pl.len().over(day) > 1))
    return TableStatistics(
        version=target.version(),
        rows=int(files["num_records"].sum()),
        files=len(files),
        small_files=len(small),
        size=int(files["size_bytes"].sum()),
    )


def _compacted(lake: Lake, table: str) -> bool:
    def attempt() -> None:
        claimed(lake.delta(table)).optimize.compact()

    try:
        until_committed(attempt)
    except CommitFailedError:
        return False
    return True


def claimed(target: DeltaTable) -> DeltaTable:
    """The table as of a commit that makes every other compaction fail that began before it.

    Two compactions of one state would both commit, and double every row (deltalake 1.6 lets it pass that the
    other one deleted the same files). None commits over a change of the table's metadata.
    """
    claim = {_CLAIM: uuid4().hex}
    target.alter.set_table_properties(claim, raise_if_not_exists=False, post_commithook_properties=KEEP_LOG)
    if target.metadata().configuration[_CLAIM] != claim[_CLAIM]:
        raise CommitFailedError("another upkeep claimed the table in the meantime")
    return target


def _made(lake: Lake, table: str, version: int) -> datetime | None:
    """When a version was committed, or shortly before; None when it is not to be had any more.

    The time of its latest file: deltalake's history of an old version tells of the newest commits.
    """
    try:
        files = pl.DataFrame(lake.delta(table, version).get_add_actions(flatten=True))
    except VersionGone:
        return None
    latest = pl.select(files["modification_time"].cast(pl.Datetime("ms")).max()).item()
    return latest.replace(tzinfo=UTC) if latest else datetime.fromtimestamp(0, UTC)


def _declare(lake: Lake, table: str, *, files: timedelta, log: timedelta) -> None:
    """Say on the table itself for how long replaced files are known and commits kept."""
    # The log is cut by the times of its files, which are a moment after those of the commits in them.
    wanted = {_FILE_RETENTION: interval(files), LOG_RETENTION: interval(log + _HOUR)}

    def attempt() -> None:
        target = lake.delta(table)
        if not wanted.items() <= target.metadata().configuration.items():
            target.alter.set_table_properties(wanted, post_commithook_properties=KEEP_LOG)

    until_committed(attempt)


def _delete_files(lake: Lake, table: str, retention: timedelta, keep: list[int]) -> int:
    """Files deleted: those replaced longer than `retention` ago, and what a writer that died left behind."""
    hours = _hours(retention)

    def vacuum(target: DeltaTable, *, dry_run: bool) -> int:
        deleted = target.vacuum(
            hours,
            dry_run=dry_run,
            enforce_retention_duration=False,  # the table's own is a week, ours a setting
            full=True,  # also files that the log has forgotten, or never knew
            keep_versions=keep,
        )
        return len(deleted)

    # Each vacuum is two commits, also where it finds nothing.
    return vacuum(lake.delta(table), dry_run=False) if vacuum(lake.delta(table), dry_run=True) else 0


def _oldest_version(lake: Lake, table: str) -> int:
    versions = range(lake.version(table))
    return bisect_left(versions, True, key=lambda version: _is_there(lake, table, version))


def _is_there(lake: Lake, table: str, version: int) -> bool:
    try:
        lake.delta(table, version)
    except VersionGone:
        return False
    return True


def interval(duration: timedelta) -> str:
    return f"interval {_hours(duration)} hours"


def _hours(duration: timedelta) -> int:
    return -(-duration // _HOUR)
