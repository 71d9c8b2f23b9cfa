"""How models do once labels are due, as of each midnight, and whether one has decayed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"

SCHEMA = "warehouse"
_COUNTS = ("transactions", "frauds", "flagged", "frauds_flagged", "saved_minor", "lost_minor", "spent_minor")
_RATES = (
    *("average_precision", "average_precision_low", "average_precision_high", "precision", "recall"),
    *("false_positive_rate", "card_precision", "brier", "calibration_error"),
)


def upgrade() -> None:
    op.execute("SET ROLE bdp_owner")
    op.create_table(
        "model_performance",
        sa.Column("as_of", sa.Date, primary_key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("role", "model_version")),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("segment", "member")),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
        *(sa.Column(name, sa.Float(53)) for name in _RATES),
        sa.Column("reliability", JSONB),
        schema=SCHEMA,
    )
    op.create_table(
        "model_decay",
        sa.Column("as_of", sa.Date, primary_key=True),
        sa.Column("model_version", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Float(53), nullable=False)
            for name in ("registered", "matured", "low", "high", "bound")
        ),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("transactions", "frauds")),
        sa.Column("is_decayed", sa.Boolean, nullable=False),
        schema=SCHEMA,
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    for table in ("model_decay", "model_performance"):
        op.drop_table(table, schema=SCHEMA)
