"""Windowed analytics: the figures, what came too late for them, and what makes them exactly-once.

`window_figures` and `window_late` are for readers; `window_transactions` and `window_positions` belong to the
analytics workers. Keys are UTC epoch milliseconds, the times beside them are computed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

SCHEMA = "warehouse"
TABLES = ("window_figures", "window_late", "window_transactions", "window_positions")


def upgrade() -> None:
    _figures()
    _late()
    _transactions()
    _positions()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, schema=SCHEMA)


def _time(name: str, source: str) -> sa.Column[object]:
    computed = sa.Computed(f"to_timestamp({source} / 1000.0)", persisted=True)
    return sa.Column(name, sa.TIMESTAMP(timezone=True), computed)


def _share(name: str, numerator: str) -> sa.Column[object]:
    """Never null: a row counts one transaction at least. What a label adds to a row, alone, counts none."""
    computed = sa.Computed(f"{numerator}::double precision / nullif(count, 0)", persisted=True)
    return sa.Column(name, sa.Double, computed)


def _sum(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _figures() -> None:
    op.create_table(
        "window_figures",
        sa.Column("window_name", sa.Text, primary_key=True),
        sa.Column("start_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dimension", sa.Text, primary_key=True),
        sa.Column("member", sa.Text, primary_key=True),
        _sum("end_ms"),
        _time("starts_at", "start_ms"),
        _time("ends_at", "end_ms"),
        _sum("count"),
        _sum("volume_base_minor"),
        _share("mean_base_minor", "volume_base_minor"),
        _sum("max_base_minor"),
        _sum("high_value_count"),
        _sum("fraud_count"),
        _share("fraud_rate", "fraud_count"),
        _sum("revision"),
        schema=SCHEMA,
    )
    op.create_index("window_figures_starts_at", "window_figures", ["starts_at"], schema=SCHEMA)


def _late() -> None:
    """A row for each window that a transaction came too late for."""
    op.create_table(
        "window_late",
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("window_name", sa.Text, nullable=False),
        _sum("start_ms"),
        _sum("ts_ms"),
        _sum("stream_ms"),
        _time("occurred_at", "ts_ms"),
        schema=SCHEMA,
    )
    op.create_index("window_late_window", "window_late", ["window_name", "start_ms"], schema=SCHEMA)


def _transactions() -> None:
    """What was counted, and what its labels say. Either half may come first, so either may be null.

    `source` names the message that counts; `members` holds its fields by dimension. `label` is the latest
    label: twice the time it became known (ms), plus one where it says fraud.
    """
    op.create_table(
        "window_transactions",
        sa.Column("customer_id", sa.Text(collation="C"), primary_key=True),
        sa.Column("transaction_id", sa.Text(collation="C"), primary_key=True),
        sa.Column("source", sa.Text),
        sa.Column("ts_ms", sa.BigInteger),
        sa.Column("stream_ms", sa.BigInteger),
        sa.Column("members", JSONB),
        sa.Column("label", sa.BigInteger),
        sa.Column("fraud_counted", sa.Boolean, nullable=False, server_default=sa.false()),
        schema=SCHEMA,
    )
    # Costs next to nothing, and finds what is old.
    op.create_index(
        "window_transactions_ts", "window_transactions", ["ts_ms"], schema=SCHEMA, postgresql_using="brin"
    )


def _positions() -> None:
    """How far each partition of the validated topic is counted, and the largest ts_ms that it had by then."""
    op.create_table(
        "window_positions",
        sa.Column("topic_id", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        _sum("next_offset"),
        _sum("stream_ms"),
        schema=SCHEMA,
    )
