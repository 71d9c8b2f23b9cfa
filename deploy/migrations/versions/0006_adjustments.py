"""Refunds and reversals, and what each of them takes back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = "warehouse"

STATES = """
    CREATE VIEW warehouse.adjustment_states AS
    SELECT adjustments.*, decisions.transaction_id IS NULL AS original_unknown,
           decisions.occurred_at AS original_occurred_at, decisions.decision AS original_decision,
           decisions.merchant_id AS original_merchant_id,
           decisions.amount_base_minor AS original_amount_base_minor
    FROM warehouse.adjustments LEFT JOIN warehouse.decisions
        ON decisions.customer_id = adjustments.customer_id
        AND decisions.transaction_id = adjustments.original_transaction_id
"""


def upgrade() -> None:
    op.create_table(
        "adjustments",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("adjustment_id", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("original_transaction_id", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "adjustments_original", "adjustments", ["customer_id", "original_transaction_id"], schema=SCHEMA
    )
    op.execute(STATES)


def downgrade() -> None:
    op.execute("DROP VIEW warehouse.adjustment_states")
    op.drop_table("adjustments", schema=SCHEMA)
