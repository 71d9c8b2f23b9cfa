"""Peer: window functions of DuckDB over the same frames, with as many threads as it likes."""

from __future__ import annotations

import duckdb
import numpy as np

from bdp_assets.features.times import DAY
from benchmarks.features.data import LABEL_DELAY, Columns, Given

WINDOWS = (1, 7, 30)


def features(given: Given) -> Columns:
    with duckdb.connect() as connection:
        connection.register("transactions", given.transactions.with_row_index("row").to_arrow())
        connection.register("labels", given.labels.to_arrow())
        table = connection.sql(QUERY).to_arrow_table()
    return {name: np.asarray(table[name].to_numpy()) for name in table.column_names}


def _query() -> str:
    columns = [text for days in WINDOWS for text in _columns(days)]
    windows = [text for days in WINDOWS for text in _windows(days)]
    # Names and numbers of ours alone go into the text.
    return f"""
        WITH known AS (SELECT customer_id, transaction_id FROM labels WHERE is_fraud),
        events AS (
            SELECT t.*, make_timestamp(ts_ms * 1000) AS moment, (k.transaction_id IS NOT NULL)::INT AS fraud
            FROM transactions t LEFT JOIN known k USING (customer_id, transaction_id)
        )
        SELECT {", ".join(columns)} FROM events WINDOW {", ".join(windows)} ORDER BY row
    """  # noqa: S608


def _columns(days: int) -> tuple[str, ...]:
    customer, terminal = f"customer_{days}", f"terminal_{days}"
    count = f"(count(*) OVER {customer} + 1)"
    total = f"(coalesce(sum(amount_base_minor) OVER {customer}, 0) + amount_base_minor)"
    seen = f"count(*) OVER {terminal}"
    return (
        f"{count}::DOUBLE AS CUSTOMER_ID_NB_TX_{days}DAY_WINDOW",
        f"{total} / ({count} * 100.0) AS CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW",
        f"({seen})::DOUBLE AS TERMINAL_ID_NB_TX_{days}DAY_WINDOW",
        f"coalesce(sum(fraud) OVER {terminal} / nullif({seen}, 0), 0.0) AS TERMINAL_ID_RISK_{days}DAY_WINDOW",
    )


def _windows(days: int) -> tuple[str, ...]:
    """A customer's own row is added outside its window, which ends before others of its millisecond."""
    spent = _between(days * DAY - 1, 1)
    risk = _between(LABEL_DELAY + days * DAY - 1, LABEL_DELAY)
    return (
        f"customer_{days} AS (PARTITION BY customer_id ORDER BY moment RANGE BETWEEN {spent})",
        f"terminal_{days} AS (PARTITION BY merchant_id ORDER BY moment RANGE BETWEEN {risk})",
    )


def _between(oldest: int, newest: int) -> str:
    """From `oldest` to `newest` ms before the row, both within."""
    return f"INTERVAL '{oldest} milliseconds' PRECEDING AND INTERVAL '{newest} milliseconds' PRECEDING"


QUERY = _query()
