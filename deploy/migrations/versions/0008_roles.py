"""Three groups, which logins are granted: bdp_owner has the tables, bdp_writer fills them, bdp_reader reads.

Roles belong to the whole server, not to this database: one that is there already is used as it is, and a
downgrade takes their rights but leaves them, since logins may be members.

A later migration that makes a table or a view makes it as the owner (`SET ROLE bdp_owner`, `RESET ROLE`), so
that the default privileges apply; a test looks at what is owned by another.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

CREATE = """
    DO $$
    DECLARE
        wanted text;
    BEGIN
        FOREACH wanted IN ARRAY ARRAY['bdp_owner', 'bdp_writer', 'bdp_reader'] LOOP
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        END LOOP;
        IF NOT pg_has_role(current_user, 'bdp_owner', 'USAGE') THEN
            EXECUTE format('GRANT bdp_owner TO %I', current_user);
        END IF;
    END $$
"""

# A table's identity sequence goes with it.
HAND_OVER = """
    DO $$
    DECLARE
        thing text;
    BEGIN
        ALTER SCHEMA warehouse OWNER TO {role};
        FOR thing IN
            SELECT oid::regclass FROM pg_class
            WHERE relnamespace = 'warehouse'::regnamespace AND relkind IN ('r', 'p', 'v')
        LOOP
            EXECUTE 'ALTER TABLE ' || thing || ' OWNER TO {role}';
        END LOOP;
        FOR thing IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'warehouse'::regnamespace LOOP
            EXECUTE 'ALTER FUNCTION ' || thing || ' OWNER TO {role}';
        END LOOP;
    END $$
"""

# What people wrote as the reason of a list's entry may be personal: readers see every column but that.
GRANTS = (
    "GRANT USAGE ON SCHEMA warehouse TO bdp_reader, bdp_writer",
    "GRANT SELECT ON ALL TABLES IN SCHEMA warehouse TO bdp_reader",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA warehouse TO bdp_writer",
    "REVOKE UPDATE, DELETE ON warehouse.list_changes, warehouse.loads FROM bdp_writer",
    "REVOKE SELECT ON warehouse.list_changes FROM bdp_reader",
    "GRANT SELECT (change_id, action, entry_id, list, kind, id, expires_at, changed_at, changed_by) "
    "ON warehouse.list_changes TO bdp_reader",
    "REVOKE ALL ON FUNCTION warehouse.make_month(date), warehouse.drop_months_before(date) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION warehouse.make_month(date), warehouse.drop_months_before(date) TO bdp_writer",
)
# Partitions are made by a function of the owner's, whoever calls it.
DEFAULTS = (
    "GRANT SELECT ON TABLES TO bdp_reader",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bdp_writer",
)
NO_DEFAULTS = ("REVOKE ALL ON TABLES FROM bdp_reader", "REVOKE ALL ON TABLES FROM bdp_writer")


def upgrade() -> None:
    op.execute(CREATE)
    op.execute(HAND_OVER.format(role="bdp_owner"))
    for grant in GRANTS:
        op.execute(grant)
    for default in DEFAULTS:
        op.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE bdp_owner IN SCHEMA warehouse {default}")


def downgrade() -> None:
    # First, as above: it locks each table. REVOKE writes a row of pg_class and does not lock the table of it;
    # ANALYZE (autovacuum's, too) has that lock and then writes the row: each would wait for the other.
    op.execute(HAND_OVER.format(role="CURRENT_USER"))
    for default in NO_DEFAULTS:
        op.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE bdp_owner IN SCHEMA warehouse {default}")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA warehouse FROM bdp_reader, bdp_writer")
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA warehouse FROM bdp_writer")
    op.execute("REVOKE ALL ON SCHEMA warehouse FROM bdp_reader, bdp_writer")
