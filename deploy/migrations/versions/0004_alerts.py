"""Alerts that grow, and what rules said: a row of `alerts` is its highest revision.

Null in what was written before: an alert was one transaction then, and there were no rules.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SCHEMA = "warehouse"
TIME = sa.TIMESTAMP(timezone=True)
ADDED = {
    "alerts": {"revision": sa.Integer, "transactions": sa.Integer, "first_at": TIME, "last_at": TIME},
    "decisions": {"rules_version": sa.Text, "severity": sa.Text},
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind), schema=SCHEMA)


def downgrade() -> None:
    for table, columns in ADDED.items():
        for name in columns:
            op.drop_column(table, name, schema=SCHEMA)
