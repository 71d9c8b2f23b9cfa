"""Taking rows out of a Delta table for good: out of its files, the files it replaced, and its log.

Whom the rows are about may stand in no commit: a day is written anew without them, since a deletion's
predicate would be logged. The log tells the least and greatest value of each column of each file, so all of
it goes that is older than the change, and with it every older version. Writers go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler

from bdp_assets.clients.lake import KEEP_LOG, PARTITION_COLUMN, Lake, until_committed
from bdp_assets.clients.lake_upkeep import LOG_RETENTION, claimed, interval

_NO_LOG = interval(timedelta())
_DEFAULT_LOG = interval(timedelta(days=30))
"""Delta's own, until the next upkeep declares ours."""


class LakeBusy(RuntimeError):  # noqa: N818 - reads as what it is
    """Other writers of a table were always faster."""


@dataclass(frozen=True)
class Rows:
    """Rows to take out: `likely`, by column names, finds all of them cheaply; `are` says which."""

    likely: Callable[[list[str]], pl.Expr]
    are: Callable[[pl.DataFrame], pl.Series]


@dataclass(frozen=True)
class Traces:
    """Rows that a table has now, by day, and files that it replaced, or that a writer left, with more."""

    rows: dict[date, int]
    old_files: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.rows or self.old_files)


def find(lake: Lake, table: str, wanted: Rows) -> Traces:
    """Changes nothing. Raises TableMissing."""
    return Traces(_days(lake, table, wanted), [*_old_files(lake, table, wanted)])


def erase(lake: Lake, table: str, wanted: Rows) -> tuple[int, int]:
    """Rows and old files that are gone now; also what an erasure that was killed has left.

    Old files go last: as long as there are any, whoever tries again begins anew. Raises TableMissing,
    LakeBusy.
    """
    try:
        return _erase(lake, table, wanted)
    except CommitFailedError as error:
        raise LakeBusy(
            f"Table {table} of the lake was written to all the time: erase again, when less is landed or "
            "backfilled there."
        ) from error


def _erase(lake: Lake, table: str, wanted: Rows) -> tuple[int, int]:
    # Every commit that began before this one fails, and is tried again.
    until_committed(lambda: claimed(lake.delta(table)))
    found = find(lake, table, wanted)
    if not found:
        return 0, 0
    rows = sum(_rewrite(lake, table, day, wanted) for day in found.rows)
    _cut_log(lake, table)
    return rows, _delete_old_files(lake, table, wanted)


def _days(lake: Lake, table: str, wanted: Rows) -> dict[date, int]:
    scanned = lake.scan(table)
    likely = scanned.filter(wanted.likely(scanned.collect_schema().names()))
    days = likely.select(pl.col(PARTITION_COLUMN).unique().sort()).collect()[PARTITION_COLUMN]
    counts = {day: int(wanted.are(_of_day(likely, day)).sum()) for day in days}
    return {day: count for day, count in counts.items() if count}


def _of_day(scanned: pl.LazyFrame, day: date) -> pl.DataFrame:
    return scanned.filter(pl.col(PARTITION_COLUMN) == pl.lit(day)).collect()


def _rewrite(lake: Lake, table: str, day: date, wanted: Rows) -> int:
    def attempt() -> int:
        target = lake.delta(table)
        frame = _of_day(pl.scan_delta(target), day)
        gone = wanted.are(frame)
        # Fails where rows of the day were added since the target was opened.
        write_deltalake(
            target,
            frame.filter(~gone),
            mode="overwrite",
            predicate=f"{PARTITION_COLUMN} = '{day}'",
            post_commithook_properties=KEEP_LOG,
        )
        return int(gone.sum())

    return until_committed(attempt)


def _cut_log(lake: Lake, table: str) -> None:
    """Leave the log of the present version alone: one checkpoint, with what landed up to it."""
    before = lake.delta(table).metadata().configuration.get(LOG_RETENTION, _DEFAULT_LOG)
    _declare_log(lake, table, _NO_LOG)
    lake.delta(table).create_checkpoint()
    lake.delta(table).cleanup_metadata()
    # An erasure that was killed may have left ours.
    _declare_log(lake, table, _DEFAULT_LOG if before == _NO_LOG else before)


def _declare_log(lake: Lake, table: str, kept: str) -> None:
    def attempt() -> None:
        alter = lake.delta(table).alter
        alter.set_table_properties({LOG_RETENTION: kept}, post_commithook_properties=KEEP_LOG)

    until_committed(attempt)


def _delete_old_files(lake: Lake, table: str, wanted: Rows) -> int:
    """A file that a writer is about to commit is not harmed: one with such rows could not be committed."""
    files = DeltaStorageHandler.from_table(lake.delta(table)._table)
    count = 0
    for path in _old_files(lake, table, wanted):
        files.delete_file(path)
        count += 1
    return count


def _old_files(lake: Lake, table: str, wanted: Rows) -> Iterator[str]:
    """Files in the table's folder that its present version does not have, with such rows in them."""
    unused = lake.delta(table).vacuum(0, dry_run=True, enforce_retention_duration=False, full=True)
    for path in unused:
        if _has(lake, f"{lake.path(table)}/{path}", wanted):
            yield path


def _has(lake: Lake, file: str, wanted: Rows) -> bool:
    try:
        scanned = pl.scan_parquet(file, storage_options=lake.options, hive_partitioning=False)
        likely = scanned.filter(wanted.likely(scanned.collect_schema().names())).collect()
    except (FileNotFoundError, pl.exceptions.ComputeError):
        # The log still knows of it; or it is not whole: a writer is at it, or died, and upkeep deletes it.
        return False
    return wanted.are(likely).any()
