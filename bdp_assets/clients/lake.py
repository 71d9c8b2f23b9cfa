"""The lake: Delta tables in a folder or an object store, by event date.

This module, `lake_upkeep` and `lake_erasure` are the only importers of deltalake.

A Kafka offset range lands once, whoever tries it how often: its end offset is committed with its rows, as the
version of an application id (`table:topic-uuid:partition`), and a range is appended only where the stored
version is exactly its start. Credentials of an object store come from its own variables (`AWS_*`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from bdp_assets.settings import Settings

PARTITION_COLUMN = "event_date"
COMMIT_ATTEMPTS = 8
FIRST_PAUSE_S = 0.01
"""Before the second attempt; twice as long before each further one: 1.3 s in all."""
_LOG_CUT = "Invalid table version"
KEEP_LOG = PostCommitHookProperties(cleanup_expired_logs=False)
"""A commit would drop all versions older than 30 days, those that models name too: upkeep knows better."""

T = TypeVar("T")

Admit = Callable[[pl.DataFrame], pl.DataFrame]
"""Which of the rows to write are let in, asked in each attempt once the table's state is known."""


def all_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """An `Admit` that keeps nobody out."""
    return frame


class LandingGap(RuntimeError):  # noqa: N818 - reads as what it is
    """An offset range does not follow the one that landed before it: landing it would lose or double rows."""


class TableMissing(LookupError):  # noqa: N818 - reads as what it is
    """The lake has no such table yet."""


class LakeUnavailable(ConnectionError):  # noqa: N818 - reads as what it is
    """The object store did not answer or refused; the message says where it was looked for and what to do."""


class VersionGone(TableMissing):
    """The lake has no such version of a table, or its files are no longer there."""


@dataclass(frozen=True)
class OffsetRange:
    """Rows of one Kafka partition from offset `start` up to, not including, `end`."""

    application_id: str
    start: int
    end: int
    frame: pl.DataFrame
    earliest: int | None = None
    """First offset that the topic still has: where given, the first range ever to land must start there."""


class Lake:
    """The Delta tables under one URL (a folder or `s3://bucket/prefix`), by name.

    Writers try again when another writer committed first; each attempt reads the table's state anew.
    """

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        """`options`: of an object store, see `Settings.lake_options`."""
        self.url = url.rstrip("/")
        self.options = dict(options or {})

    @classmethod
    def of(cls, settings: Settings) -> Lake:
        return cls(settings.lake, settings.lake_options)

    def path(self, table: str) -> str:
        return f"{self.url}/{table}"

    def exists(self, table: str) -> bool:
        with self._reached():
            return DeltaTable.is_deltatable(self.path(table), self.options)

    def version(self, table: str) -> int:
        """Version of the table as it is now: names a snapshot that can be read again. Raises TableMissing."""
        return self.delta(table).version()

    def count(self, table: str) -> int:
        """Number of rows, from the table's statistics. Raises TableMissing."""
        return self.delta(table).count()

    def landed(self, table: str, application_id: str, version: int | None = None) -> int | None:
        """Offset up to which this application's rows are in the table, as of `version` or now.

        None when none ever landed.
        """
        return self.delta(table, version).transaction_version(application_id) if self.exists(table) else None

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame:
        """Lazy frame of the table, as of `version` or now. Raises TableMissing."""
        return pl.scan_delta(self.delta(table, version))

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        dates: tuple[date, date] | None = None,
        filters: pl.Expr | None = None,
        version: int | None = None,
    ) -> pl.DataFrame:
        """Rows of the table whose event date lies in `dates` (both ends included).

        Raises TableMissing, VersionGone.
        """
        rows = self.scan(table, version)
        if dates is not None:
            rows = rows.filter(pl.col(PARTITION_COLUMN).is_between(pl.lit(dates[0]), pl.lit(dates[1])))
        if filters is not None:
            rows = rows.filter(filters)
        try:
            return rows.select(columns or pl.all()).collect()
        except FileNotFoundError as error:
            raise _gone(table, self.version(table) if version is None else version) from error

    def append(self, table: str, frame: pl.DataFrame, *, application: tuple[str, int] | None = None) -> None:
        """Add rows; with `application` = (id, version) in the same commit as that version."""
        commit = _commit_properties([application] if application else [])
        until_committed(lambda: self._append(self._target(table), frame, commit))

    def replace(self, table: str, frame: pl.DataFrame, predicate: str, admit: Admit = all_rows) -> int:
        """Put `frame` in the place of the rows that match the SQL `predicate`, which its rows must match too.

        Readers see the old rows or the new ones, never a mixture. Returns the table's new version.
        """
        if not self.exists(table):
            self.append(table, frame.clear())

        def attempt() -> int:
            target = self.delta(table)
            write_deltalake(
                target,
                admit(frame),
                mode="overwrite",
                predicate=predicate,
                schema_mode="merge",
                post_commithook_properties=KEEP_LOG,
            )
            return target.version()

        return until_committed(attempt)

    def land_range(
        self, table: str, frame: pl.DataFrame, *, application_id: str, start: int, end: int
    ) -> bool:
        """Land one offset range; False when it was there already. Raises LandingGap."""
        return bool(self.land_ranges(table, [OffsetRange(application_id, start, end, frame)]))

    def land_ranges(
        self, table: str, ranges: Sequence[OffsetRange], admit: Admit = all_rows
    ) -> list[OffsetRange]:
        """Land ranges of distinct partitions in one commit; returns those that were not there yet.

        Raises LandingGap when one does not start where its predecessor ended: then none of them lands.
        """

        def attempt() -> list[OffsetRange]:
            target = self._target(table)
            due = [landing for landing in ranges if not _has_landed(table, landing, target)]
            if due:
                commit = _commit_properties([(landing.application_id, landing.end) for landing in due])
                rows = admit(pl.concat([landing.frame for landing in due], how="diagonal"))
                self._append(target, rows, commit)
            return due

        return until_committed(attempt)

    def _target(self, table: str) -> str | DeltaTable:
        """What is written to: the table, or where it is to be."""
        return self.delta(table) if self.exists(table) else self.path(table)

    def _append(self, target: str | DeltaTable, frame: pl.DataFrame, commit: CommitProperties) -> None:
        write_deltalake(
            target,
            frame,
            mode="append",
            partition_by=PARTITION_COLUMN,
            storage_options=self.options,
            schema_mode="merge",
            commit_properties=commit,
            post_commithook_properties=KEEP_LOG,
        )

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if "://" not in self.url:
                raise
            raise LakeUnavailable(
                f"The lake at {self.url} was not reached: the store did not answer, has no such bucket, or "
                "refused. Check BDP_LAKE_URL, BDP_LAKE_ENDPOINT, and the variables AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY and AWS_REGION."
            ) from error

    def delta(self, table: str, version: int | None = None) -> DeltaTable:
        """The table in deltalake's own terms, as of `version` or now. Raises TableMissing, VersionGone."""
        try:
            with self._reached():
                return DeltaTable(self.path(table), version=version, storage_options=self.options)
        except (TableNotFoundError, DeltaError) as error:
            if version is not None and self.exists(table):
                raise _gone(table, version) from error
            if isinstance(error, TableNotFoundError):
                raise TableMissing(
                    f"The lake has no table {table} yet: materialise the asset that writes it."
                ) from None
            raise


class LakeSnapshot(Lake):
    """The lake as it was: tables at the versions given, to be read; all others as they are now."""

    def __init__(
        self, url: str, versions: Mapping[str, int], options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(url, options)
        self._versions = versions

    def append(self, table: str, frame: pl.DataFrame, *, application: tuple[str, int] | None = None) -> None:
        raise PermissionError(f"table {table}: a snapshot of the lake is not written to")

    def replace(self, table: str, frame: pl.DataFrame, predicate: str, admit: Admit = all_rows) -> int:
        raise PermissionError(f"table {table}: a snapshot of the lake is not written to")

    def land_ranges(
        self, table: str, ranges: Sequence[OffsetRange], admit: Admit = all_rows
    ) -> list[OffsetRange]:
        raise PermissionError(f"table {table}: a snapshot of the lake is not written to")

    def delta(self, table: str, version: int | None = None) -> DeltaTable:
        return super().delta(table, self._versions.get(table) if version is None else version)


def _gone(table: str, version: int) -> VersionGone:
    return VersionGone(
        f"The lake has no version {version} of table {table} (any more), or not its files. Name another one."
    )


def until_committed(attempt: Callable[[], T]) -> T:
    """What an attempt gives that no other writer was faster than. Raises CommitFailedError after the last."""
    for tried in range(COMMIT_ATTEMPTS - 1):
        try:
            return attempt()
        except DeltaError as error:
            # An erasure may have cut the commits off the log that an attempt was to be compared with.
            if not isinstance(error, CommitFailedError) and _LOG_CUT not in str(error):
                raise
            time.sleep(FIRST_PAUSE_S * 2**tried)
    return attempt()


def _has_landed(table: str, landing: OffsetRange, target: DeltaTable | str) -> bool:
    stored = target.transaction_version(landing.application_id) if isinstance(target, DeltaTable) else None
    if stored == landing.start or (stored is None and _starts_topic(landing)):
        return False
    if stored is not None and stored >= landing.end:
        return True
    raise LandingGap(
        f"Offsets {landing.start}-{landing.end} of {landing.application_id} do not follow what table {table} "
        f"has (up to {stored}): land the missing range first, by re-executing its run."
    )


def _starts_topic(landing: OffsetRange) -> bool:
    return landing.earliest is None or landing.start <= landing.earliest


def _commit_properties(applications: Sequence[tuple[str, int]]) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(name, version) for name, version in applications])
