"""Allow and block lists: every change, kept for good; and what lists did to decisions.

A change is a row that is never updated and never deleted, which the database itself sees to. What is listed
follows from the rows: what was added and not removed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

SCHEMA = "warehouse"
TIME = sa.TIMESTAMP(timezone=True)
ADDED = {"list_hits": JSONB, "decision_without_lists": sa.Text}

APPEND_ONLY = """
    CREATE FUNCTION warehouse.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME;
    END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON warehouse.list_changes
        FOR EACH STATEMENT EXECUTE FUNCTION warehouse.refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "list_changes",
        sa.Column("change_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("action", sa.Text, sa.CheckConstraint("action IN ('add', 'remove')"), nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("list", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("changed_at", TIME, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.UniqueConstraint("entry_id", "action"),
        schema=SCHEMA,
    )
    op.execute(APPEND_ONLY)
    for name, kind in ADDED.items():
        op.add_column("decisions", sa.Column(name, kind), schema=SCHEMA)


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("decisions", name, schema=SCHEMA)
    op.drop_table("list_changes", schema=SCHEMA)
    op.execute("DROP FUNCTION warehouse.refuse_change()")
