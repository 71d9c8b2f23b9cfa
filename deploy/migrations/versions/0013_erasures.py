"""That a customer was erased: when, from where, how much; never who. And the list's audit without him.

The hash is keyed: whoever has the key and an id can ask whether that customer was erased.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

SCHEMA = "warehouse"
TIME = sa.TIMESTAMP(timezone=True)

APPEND_ONLY = """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON warehouse.erasures
        FOR EACH STATEMENT EXECUTE FUNCTION warehouse.refuse_change()
"""
# The one way round the audit's trigger. An entry stays what it was, about somebody whom nobody knows; reasons
# are free text, so those of his entries go, and so do others that have his id as a word of their own.
FORGET = r"""
    CREATE FUNCTION warehouse.forget_listed(whom text, pseudonym text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        changed bigint;
        word text := '(^|[^A-Za-z0-9._-])' || replace(whom, '.', '\.')
            || '($|[^A-Za-z0-9._:-]|[._:-]+($|[^A-Za-z0-9]))';
    BEGIN
        ALTER TABLE warehouse.list_changes DISABLE TRIGGER append_only;
        UPDATE warehouse.list_changes
        SET id = CASE WHEN kind = 'customer' AND id = whom THEN pseudonym ELSE id END, reason = '(erased)'
        WHERE (kind = 'customer' AND id = whom) OR reason ~ word;
        GET DIAGNOSTICS changed = ROW_COUNT;
        ALTER TABLE warehouse.list_changes ENABLE TRIGGER append_only;
        RETURN changed;
    END $$
"""
SIGNATURE = "warehouse.forget_listed(text, text)"


def upgrade() -> None:
    op.execute("SET ROLE bdp_owner")
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("erased_at", TIME, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("customer_hash", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("things", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.execute(APPEND_ONLY)
    op.execute("REVOKE UPDATE, DELETE ON warehouse.erasures FROM bdp_writer")
    op.execute(FORGET)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO bdp_writer")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.drop_table("erasures", schema=SCHEMA)
