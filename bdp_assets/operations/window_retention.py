"""Forgetting window figures, and the transactions behind them, when they are old."""

from __future__ import annotations

from bdp_assets.clients.postgres import Connection, connect
from bdp_assets.features.times import DAY
from bdp_assets.settings import Settings

CHUNK = 50_000
"""Rows in one transaction: short ones, so that they never hold up a worker."""

OLD = {
    "window_figures": "end_ms <= %(until_ms)s",
    "window_late": "ts_ms < %(until_ms)s",
    # A label that waits for its transaction has only the time when it became known.
    "window_transactions": "coalesce(ts_ms, label / 2) < %(until_ms)s",
}


def kept_from(settings: Settings, connection: Connection) -> int:
    """Epoch ms: what is older may be forgotten. Counted back from the latest transaction, not from today."""
    (latest,) = connection.execute("SELECT max(stream_ms) FROM warehouse.window_positions").fetchone() or (0,)
    return int(latest or 0) - settings.analytics_days * DAY


def forget(settings: Settings) -> dict[str, int]:
    """Delete what is older than BDP_ANALYTICS_DAYS; rows deleted by table. Raises WarehouseUnavailable."""
    with connect(settings) as connection:
        connection.autocommit = True
        until_ms = kept_from(settings, connection)
        return {table: _forget(connection, table, until_ms) for table in OLD}


def _forget(connection: Connection, table: str, until_ms: int) -> int:
    statement = (
        f"DELETE FROM warehouse.{table} WHERE ctid = ANY(ARRAY("  # noqa: S608 - names from OLD
        f"SELECT ctid FROM warehouse.{table} WHERE {OLD[table]} LIMIT {CHUNK}))"
    )
    count = 0
    while deleted := connection.execute(statement, {"until_ms": until_ms}).rowcount:
        count += deleted
    return count
