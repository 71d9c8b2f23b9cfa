"""The facts: decisions, alerts, labels, and the index of refused messages.

Keys make every load idempotent: the same row again changes nothing. Money is integer minor units of the base
currency, times are timestamptz.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

SCHEMA = "warehouse"
TIME = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.execute(f"CREATE SCHEMA {SCHEMA}")
    _decisions()
    _alerts()
    _labels()
    _dead_letters()


def downgrade() -> None:
    op.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("transaction_id", sa.Text, primary_key=True),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("merchant_id", sa.Text),
        sa.Column("amount_base_minor", sa.BigInteger, nullable=False),
        sa.Column("fraud_probability", sa.Double, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("reasons", JSONB, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("catalog_version", sa.Text, nullable=False),
        sa.Column("apply_seq", sa.BigInteger, nullable=False),
        sa.Column("degraded", sa.Boolean, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.CheckConstraint("fraud_probability BETWEEN 0 AND 1", name="decisions_probability"),
        sa.CheckConstraint("decision IN ('approve', 'review', 'decline')", name="decisions_decision"),
        schema=SCHEMA,
    )
    op.create_index("decisions_occurred_at", "decisions", ["occurred_at"], schema=SCHEMA)


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("fraud_probability", sa.Double, nullable=False),
        sa.Column("amount_at_risk_minor", sa.BigInteger, nullable=False),
        sa.Column("reasons", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("alerts_occurred_at", "alerts", ["occurred_at"], schema=SCHEMA)


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("transaction_id", sa.Text, primary_key=True),
        sa.Column("known_at", TIME, primary_key=True),
        sa.Column("is_fraud", sa.Boolean, nullable=False),
        sa.Column("merchant_id", sa.Text),
        sa.Column("occurred_at", TIME),
        schema=SCHEMA,
    )
    op.create_index("labels_known_at", "labels", ["known_at"], schema=SCHEMA)


def _dead_letters() -> None:
    """Which messages were refused, where and why; never their bytes: those stay in the topic and the lake.

    A topic that was made anew has the same offsets again, hence the time in the key.
    """
    op.create_table(
        "dead_letters",
        sa.Column("source_topic", sa.Text, primary_key=True),
        sa.Column("source_partition", sa.Integer, primary_key=True),
        sa.Column("source_offset", sa.BigInteger, primary_key=True),
        sa.Column("received_at", TIME, primary_key=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("field", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("masked", sa.Boolean, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("dead_letters_error", "dead_letters", ["error", "received_at"], schema=SCHEMA)
