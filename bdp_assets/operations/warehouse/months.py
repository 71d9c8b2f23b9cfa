"""The months of the large facts: partitions made ahead of their rows, and dropped when they are old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bdp_assets.clients.postgres import Connection
from bdp_assets.settings import Settings

_LATEST = """
    SELECT greatest((SELECT max(occurred_at) FROM warehouse.transactions),
                    (SELECT max(occurred_at) FROM warehouse.predictions),
                    (SELECT max(occurred_at) FROM warehouse.decisions))
"""

FINDINGS = {
    "quality_checks": "day",
    "quality_scores": "day",
    "drift": "event_date",
    "model_performance": "as_of",
    "model_decay": "as_of",
}
"""Small tables without partitions, and their column of days: kept as long as the facts that they judge."""


def spans(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The days first..last month by month, the latest first: (first day, last day)."""
    while first <= last:
        start = max(first, last.replace(day=1))
        yield start, last
        last = start - timedelta(days=1)


def following(day: date) -> date:
    """First day of the next month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def make(connection: Connection, day: date) -> list[str]:
    """Make the partitions of the day's month and of the next, and their dates; names of the new ones."""
    query = "SELECT warehouse.make_month(month) FROM unnest(%s::date[]) AS month"
    return [name for (name,) in connection.execute(query, [[day, following(day)]])]


def kept_from(settings: Settings, connection: Connection) -> date:
    """First day of the oldest month that is kept: back from the latest transaction, not from today."""
    (latest,) = connection.execute(_LATEST).fetchone() or (None,)
    if latest is None:
        return date.min
    months = latest.year * 12 + latest.month - settings.warehouse_months
    return date(months // 12, months % 12 + 1, 1)


def forget(settings: Settings, connection: Connection) -> list[str]:
    """Drop the partitions that are older than BDP_WAREHOUSE_MONTHS; their names."""
    oldest = kept_from(settings, connection)
    if oldest == date.min:
        return []
    return [name for (name,) in connection.execute("SELECT warehouse.drop_months_before(%s::date)", [oldest])]


def forget_findings(settings: Settings, connection: Connection) -> int:
    """Delete findings of days before the oldest month that is kept; how many."""
    oldest = kept_from(settings, connection)
    statements = (
        f"DELETE FROM warehouse.{table} WHERE {day} < %s"  # noqa: S608 - ours
        for table, day in FINDINGS.items()
    )
    return sum(connection.execute(statement, [oldest]).rowcount for statement in statements)
