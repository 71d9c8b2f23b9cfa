"""How far each source was read, and the batch that is on its way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"

SCHEMA = "warehouse"


def upgrade() -> None:
    op.execute("SET ROLE bdp_owner")
    op.create_table(
        "source_positions",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("position", JSONB),
        sa.Column("planned", JSONB),
        sa.Column("batch_id", sa.Text),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("(planned IS NULL) = (batch_id IS NULL)", name="planned_by_a_batch"),
        schema=SCHEMA,
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.drop_table("source_positions", schema=SCHEMA)
