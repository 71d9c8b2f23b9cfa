"""What the checks of quality found of each table of the lake on each day, and the score of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

SCHEMA = "warehouse"


def upgrade() -> None:
    op.execute("SET ROLE bdp_owner")
    op.create_table(
        "quality_checks",
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("check_name", sa.Text, primary_key=True),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("checked", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("passed", sa.Boolean),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("judged_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("failed BETWEEN 0 AND checked", name="failed_of_checked"),
        schema=SCHEMA,
    )
    op.create_index("quality_checks_day", "quality_checks", ["day"], schema=SCHEMA)
    op.create_table(
        "quality_scores",
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("score", sa.Double),
        sa.Column("worst_check", sa.Text),
        sa.Column("judged_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name="score_in_percent"),
        schema=SCHEMA,
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.drop_table("quality_scores", schema=SCHEMA)
    op.drop_table("quality_checks", schema=SCHEMA)
