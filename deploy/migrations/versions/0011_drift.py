"""Drift: each quantity of each day and segment against the days that the model was made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

SCHEMA = "warehouse"


def upgrade() -> None:
    op.execute("SET ROLE bdp_owner")
    op.create_table(
        "drift",
        sa.Column("event_date", sa.Date, primary_key=True),
        sa.Column("model_version", sa.Text, primary_key=True),
        sa.Column("quantity", sa.Text, primary_key=True),
        sa.Column("segment", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("psi", sa.Double, nullable=False),
        sa.Column("ks", sa.Double, nullable=False),
        sa.Column("js_distance", sa.Double, nullable=False),
        sa.Column("fraud_ratio", sa.Double),
        sa.Column("missing", sa.Double, nullable=False),
        sa.Column("p_value", sa.Double, nullable=False),
        sa.Column("adjusted_p", sa.Double, nullable=False),
        sa.Column("drifted", sa.Boolean, nullable=False),
        sa.CheckConstraint("kind IN ('feature', 'score', 'label')", name="kind_of_drift"),
        schema=SCHEMA,
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.drop_table("drift", schema=SCHEMA)
