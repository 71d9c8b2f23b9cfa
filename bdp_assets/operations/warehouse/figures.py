"""Figures by day and by hour: counted anew, from the facts, for each day that a load touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bdp_assets.clients.postgres import Connection

# Days that a load touched: its own, and those of the transactions that its labels speak of.
_TOUCHED = """
    SELECT DISTINCT days.event_date FROM (
        SELECT event_date FROM warehouse.transactions
        WHERE occurred_at >= %(first)s AND occurred_at < %(end)s
        UNION
        SELECT event_date
        FROM warehouse.labels JOIN warehouse.transactions USING (customer_id, transaction_id)
        WHERE labels.known_at >= %(first)s AND labels.known_at < %(end)s
    ) AS days ORDER BY event_date
"""

# Of a transaction's labels the latest counts. Undecided is history that was never decided.
_FIGURES = {
    "transactions": "count(*)",
    "amount_base_minor": "sum(amount)",
    "approved": "count(*) FILTER (WHERE decision = 'approve')",
    "reviewed": "count(*) FILTER (WHERE decision = 'review')",
    "declined": "count(*) FILTER (WHERE decision = 'decline')",
    "undecided": "count(*) FILTER (WHERE decision IS NULL)",
    "declined_base_minor": "coalesce(sum(amount) FILTER (WHERE decision = 'decline'), 0)",
    "frauds": "count(*) FILTER (WHERE is_fraud)",
    "fraud_base_minor": "coalesce(sum(amount) FILTER (WHERE is_fraud), 0)",
    "frauds_declined": "count(*) FILTER (WHERE is_fraud AND decision = 'decline')",
}

_COUNTED = """
    SELECT facts.event_date, date_trunc('hour', facts.occurred_at, 'UTC') AS hour,
           coalesce(facts.merchant_category, 'unknown') AS merchant_category,
           coalesce(facts.country, 'unknown') AS country, coalesce(facts.channel, 'unknown') AS channel,
           facts.amount_base_minor AS amount, decisions.decision, label.is_fraud
    FROM warehouse.transactions AS facts
    LEFT JOIN warehouse.decisions USING (customer_id, transaction_id, occurred_at)
    LEFT JOIN LATERAL (
        SELECT is_fraud FROM warehouse.labels
        WHERE labels.customer_id = facts.customer_id AND labels.transaction_id = facts.transaction_id
        ORDER BY known_at DESC LIMIT 1
    ) AS label ON true
    WHERE facts.occurred_at >= %(first)s AND facts.occurred_at < %(end)s AND facts.event_date = ANY(%(days)s)
"""


@dataclass(frozen=True)
class Figures:
    """A table of figures; `day` is the UTC day of a row, in SQL."""

    table: str
    grain: tuple[str, ...]
    day: str

    def count(self, connection: Connection, days: Sequence[date]) -> int:
        """Count these days anew; how many rows are new, changed or gone. Commits nothing."""
        key, names = ", ".join(self.grain), ", ".join(_FIGURES)
        counted = ", ".join(f"{value} AS {name}" for name, value in _FIGURES.items())
        of_days = f"{self.day} = ANY(%(days)s)"
        gone = f"DELETE FROM {self.table} WHERE {of_days} AND ({key}) NOT IN (SELECT {key} FROM counted)"  # noqa: S608
        stored, made = (", ".join(f"{side}.{name}" for name in _FIGURES) for side in ("stored", "excluded"))
        statement = f"""
            WITH counted AS (SELECT {key}, {counted} FROM ({_COUNTED}) AS facts GROUP BY {key}),
                 gone AS ({gone} RETURNING 1),
                 changed AS (
                    INSERT INTO {self.table} AS stored ({key}, {names}) SELECT {key}, {names} FROM counted
                    ON CONFLICT ({key}) DO UPDATE SET ({names}) = ROW({made})
                    WHERE ROW({stored}) IS DISTINCT FROM ROW({made}) RETURNING 1)
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM changed)
        """  # noqa: S608 - names of our own
        (changed,) = connection.execute(statement, _span(min(days), max(days), days=days)).fetchone() or (0,)
        return int(changed)


FIGURES = (
    Figures(
        "warehouse.daily_figures", ("event_date", "merchant_category", "country", "channel"), "event_date"
    ),
    Figures("warehouse.hourly_figures", ("hour", "merchant_category"), "(hour AT TIME ZONE 'UTC')::date"),
)


def touched(connection: Connection, first: date, last: date) -> list[date]:
    """The days whose figures a load of first..last may have changed, in order."""
    return [day for (day,) in connection.execute(_TOUCHED, _span(first, last))]


def _span(first: date, last: date, **others: Any) -> dict[str, Any]:
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    return {"first": start, "end": end, **others}
