"""Loads the warehouse from the lake, month by month; days again change nothing that did not change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from bdp_assets.clients.lake import Admit, Lake
from bdp_assets.clients.postgres import Connection, Warehouse, upsert
from bdp_assets.ingest.erased import admission
from bdp_assets.operations.warehouse import months
from bdp_assets.operations.warehouse.dimensions import DIMENSIONS
from bdp_assets.operations.warehouse.facts import CHALLENGER, CHAMPION, DECISIONS, FACTS, TRANSACTIONS, Fact
from bdp_assets.operations.warehouse.figures import FIGURES, touched
from bdp_assets.settings import Settings

_AUDIT = """
    INSERT INTO warehouse.loads (first_day, last_day, target, rows, changed) VALUES (%s, %s, %s, %s, %s)
"""

STATEMENT_TIMEOUT_MS = 600_000
LOCK_TIMEOUT_MS = 300_000
"""How long a load waits for another one, which may be a month of a backfill."""

_REFERRING = (TRANSACTIONS, CHAMPION, CHALLENGER, DECISIONS)
"""Facts with foreign keys: their members have to be there first."""


@dataclass
class Loaded:
    """`counts`: table, rows read (of figures: days counted), rows changed. Partitions by name."""

    counts: list[tuple[str, int, int]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    findings_dropped: int = 0
    """Of quality, drift and performance."""
    days_passed_over: int = 0

    @property
    def tables(self) -> pl.DataFrame:
        """A row a table of the warehouse: table, rows, changed."""
        schema = {"table": pl.String, "rows": pl.Int64, "changed": pl.Int64}
        frame = pl.DataFrame(self.counts, schema, orient="row")
        return frame.group_by("table", maintain_order=True).agg(pl.col("rows", "changed").sum())


def load(settings: Settings, lake: Lake, first: date, last: date) -> Loaded:
    """Load the days first..last: a month is a transaction, the latest month comes first.

    Days of months that are no longer kept (BDP_WAREHOUSE_MONTHS) are passed over. Loads take turns. Raises
    WarehouseUnavailable, WarehouseRefused.
    """
    warehouse, loaded = Warehouse(settings), Loaded()
    try:
        for start, end in months.spans(first, last):
            with turn(warehouse) as connection:
                if end < months.kept_from(settings, connection):
                    loaded.days_passed_over = (end - first).days + 1
                    break
                loaded.made += months.make(connection, end)
            _load_month(warehouse, lake, (start, end), admission(settings, lake), loaded)
        with turn(warehouse) as connection:
            loaded.dropped += months.forget(settings, connection)
            loaded.findings_dropped = months.forget_findings(settings, connection)
    finally:
        warehouse.close()
    return loaded


@contextmanager
def turn(warehouse: Warehouse) -> Iterator[Connection]:
    """A transaction in which no other load works."""
    with warehouse.transaction() as connection:
        connection.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('warehouse load', 0))")
        yield connection


def _load_month(
    warehouse: Warehouse, lake: Lake, days: tuple[date, date], admit: Admit, loaded: Loaded
) -> None:
    """Read the lake first: nobody waits for it with locks in the hand. Who was erased since stays out."""
    first, last = days
    read = [(fact, fact.read(lake, first, last)) for fact in FACTS]
    with turn(warehouse) as connection:
        frames = [(fact, admit(frame)) for fact, frame in read]
        counts = [*_members(connection, frames), *_facts(connection, frames)]
        counts += _figures(connection, first, last)
        connection.cursor().executemany(_AUDIT, [(first, last, *count) for count in counts if count[2]])
    loaded.counts += counts


def _members(
    connection: Connection, frames: list[tuple[Fact, pl.DataFrame]]
) -> Iterator[tuple[str, int, int]]:
    referring = [frame for fact, frame in frames if fact in _REFERRING]
    for dimension in DIMENSIONS:
        members = dimension.members(referring)
        yield dimension.table, len(members), dimension.load(connection, members)


def _facts(connection: Connection, frames: list[tuple[Fact, pl.DataFrame]]) -> Iterator[tuple[str, int, int]]:
    for fact, frame in frames:
        changed = upsert(connection, fact.table, frame, fact.key, revision=fact.revision)
        yield fact.table, len(frame), changed


def _figures(connection: Connection, first: date, last: date) -> Iterator[tuple[str, int, int]]:
    days = touched(connection, first, last)
    for figures in FIGURES:
        yield figures.table, len(days), figures.count(connection, days) if days else 0
