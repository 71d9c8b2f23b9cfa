"""The star: dimensions, facts by month, figures by day and hour, and the audit of loads.

`transactions`, `predictions` and `decisions` are partitioned by month of `occurred_at`; their partitions are
made and dropped by two functions, so that a writer needs no right to create tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = "warehouse"
TIME = sa.TIMESTAMP(timezone=True)

DECISIONS_INDEXES = ("occurred_at", "transaction", "not_approved")

DATES = """
    CREATE TABLE warehouse.dates (
        day date PRIMARY KEY,
        year integer NOT NULL,
        quarter integer NOT NULL,
        month integer NOT NULL,
        month_start date NOT NULL,
        iso_year integer NOT NULL,
        iso_week integer NOT NULL,
        iso_weekday integer NOT NULL,
        weekday text NOT NULL,
        is_weekend boolean NOT NULL
    )
"""

# Partitions are named after their month: transactions_2026_03. Bounds are UTC. Whatever table of the schema
# is partitioned gets one. The dates come along: a fact can not have a day that the dimension lacks.
MAKE_MONTH = """
    CREATE FUNCTION warehouse.make_month(wanted date) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        first date := date_trunc('month', wanted::timestamp)::date;
        following date := (first + interval '1 month')::date;
        fact text;
        part text;
    BEGIN
        INSERT INTO warehouse.dates
        SELECT day, extract(year FROM day), extract(quarter FROM day), extract(month FROM day), first,
               extract(isoyear FROM day), extract(week FROM day), extract(isodow FROM day),
               (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])
                   [extract(isodow FROM day)::integer],
               extract(isodow FROM day) > 5
        FROM (SELECT first + n AS day FROM generate_series(0, following - first - 1) AS n) AS days
        ON CONFLICT DO NOTHING;
        FOR fact IN
            SELECT relname FROM pg_class WHERE relnamespace = 'warehouse'::regnamespace AND relkind = 'p'
            ORDER BY relname
        LOOP
            part := fact || to_char(first, '_YYYY_MM');
            IF to_regclass('warehouse.' || part) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE warehouse.%I PARTITION OF warehouse.%I FOR VALUES FROM (%L) TO (%L)',
                    part, fact, first::timestamp AT TIME ZONE 'UTC', following::timestamp AT TIME ZONE 'UTC');
                RETURN NEXT part;
            END IF;
        END LOOP;
    END $$
"""

DROP_MONTHS_BEFORE = """
    CREATE FUNCTION warehouse.drop_months_before(kept_from date) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        part text;
    BEGIN
        FOR part IN
            SELECT relname FROM pg_class
            WHERE relnamespace = 'warehouse'::regnamespace AND relispartition AND relkind = 'r'
            AND to_date(right(relname, 7), 'YYYY_MM') < date_trunc('month', kept_from::timestamp)
            ORDER BY relname
        LOOP
            EXECUTE format('DROP TABLE warehouse.%I', part);
            RETURN NEXT part;
        END LOOP;
    END $$
"""

DECISIONS = """
    CREATE TABLE warehouse.decisions (
        customer_id text NOT NULL,
        transaction_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        merchant_id text,
        amount_base_minor bigint NOT NULL,
        fraud_probability double precision NOT NULL,
        decision text NOT NULL,
        reasons jsonb NOT NULL,
        model_name text NOT NULL,
        model_version text NOT NULL,
        policy_version text NOT NULL,
        catalog_version text NOT NULL,
        apply_seq bigint NOT NULL,
        degraded boolean NOT NULL,
        decided_by text NOT NULL,
        decided_at timestamptz NOT NULL,
        rules_version text,
        severity text,
        list_hits jsonb,
        decision_without_lists text,
        {day}
        CONSTRAINT decisions_probability CHECK (fraud_probability BETWEEN 0 AND 1),
        CONSTRAINT decisions_decision CHECK (decision IN ('approve', 'review', 'decline')),
        CONSTRAINT decisions_pkey PRIMARY KEY ({key})
    ) {partitioning}
"""
DECISIONS_COLUMNS = (
    "customer_id, transaction_id, occurred_at, merchant_id, amount_base_minor, fraud_probability, decision, "
    "reasons, model_name, model_version, policy_version, catalog_version, apply_seq, degraded, decided_by, "
    "decided_at, rules_version, severity, list_hits, decision_without_lists"
)
DAY = """event_date date GENERATED ALWAYS AS ((occurred_at AT TIME ZONE 'UTC')::date) STORED
            REFERENCES warehouse.dates,
        FOREIGN KEY (customer_id) REFERENCES warehouse.customers,
        FOREIGN KEY (merchant_id) REFERENCES warehouse.merchants,"""

TRANSACTIONS = """
    CREATE TABLE warehouse.transactions (
        customer_id text NOT NULL REFERENCES warehouse.customers,
        transaction_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        event_date date GENERATED ALWAYS AS ((occurred_at AT TIME ZONE 'UTC')::date) STORED
            REFERENCES warehouse.dates,
        merchant_id text REFERENCES warehouse.merchants,
        merchant_category text,
        channel text,
        country text,
        currency text NOT NULL,
        amount_minor bigint NOT NULL,
        amount_base_minor bigint NOT NULL,
        rates_version text NOT NULL,
        door text NOT NULL,
        PRIMARY KEY (customer_id, transaction_id, occurred_at)
    ) PARTITION BY RANGE (occurred_at)
"""

PREDICTIONS = """
    CREATE TABLE warehouse.predictions (
        customer_id text NOT NULL REFERENCES warehouse.customers,
        transaction_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        event_date date GENERATED ALWAYS AS ((occurred_at AT TIME ZONE 'UTC')::date) STORED
            REFERENCES warehouse.dates,
        role text NOT NULL CHECK (role IN ('champion', 'challenger')),
        model_version text NOT NULL,
        policy_version text NOT NULL,
        catalog_version text NOT NULL,
        fraud_probability double precision NOT NULL CHECK (fraud_probability BETWEEN 0 AND 1),
        decision text NOT NULL CHECK (decision IN ('approve', 'review', 'decline')),
        PRIMARY KEY (customer_id, transaction_id, occurred_at, role, model_version, policy_version)
    ) PARTITION BY RANGE (occurred_at)
"""

FIGURES = """
        transactions bigint NOT NULL,
        amount_base_minor bigint NOT NULL,
        approved bigint NOT NULL,
        reviewed bigint NOT NULL,
        declined bigint NOT NULL,
        undecided bigint NOT NULL,
        declined_base_minor bigint NOT NULL,
        frauds bigint NOT NULL,
        fraud_base_minor bigint NOT NULL,
        frauds_declined bigint NOT NULL,
"""

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

LABEL_STATES = """
    CREATE VIEW warehouse.label_states AS
    SELECT DISTINCT ON (customer_id, transaction_id) customer_id, transaction_id, is_fraud, known_at
    FROM warehouse.labels ORDER BY customer_id, transaction_id, known_at DESC
"""


def upgrade() -> None:
    op.execute(DATES)
    for dimension in ("customer", "merchant"):
        _members(dimension)
    op.execute(TRANSACTIONS)
    op.execute(PREDICTIONS)
    op.execute(MAKE_MONTH)
    op.execute(DROP_MONTHS_BEFORE)
    _partition_decisions()
    _indexes()
    _figures()
    op.execute(LABEL_STATES)
    _loads()


def downgrade() -> None:
    for table in ("loads", "hourly_figures", "daily_figures"):
        op.drop_table(table, schema=SCHEMA)
    op.execute("DROP VIEW warehouse.label_states")
    _unite_decisions()
    op.execute("DROP FUNCTION warehouse.make_month(date), warehouse.drop_months_before(date)")
    for table in ("predictions", "transactions", "merchants", "customers", "dates"):
        op.drop_table(table, schema=SCHEMA)


def _members(name: str) -> None:
    """A dimension of what its events say of each member; attributes are those last known."""
    attributes = [sa.Column("country", sa.Text)]
    if name == "merchant":
        attributes.append(sa.Column("merchant_category", sa.Text))
    op.create_table(
        f"{name}s",
        sa.Column(f"{name}_id", sa.Text, primary_key=True),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        *attributes,
        schema=SCHEMA,
    )


def _partition_decisions() -> None:
    """Rows that are there move into months; their customers and merchants become members."""
    op.execute("DROP VIEW warehouse.adjustment_states")
    op.execute("ALTER TABLE warehouse.decisions RENAME TO decisions_before")
    op.execute("ALTER INDEX warehouse.decisions_pkey RENAME TO decisions_before_pkey")
    op.execute("DROP INDEX warehouse.decisions_occurred_at")
    key = "customer_id, transaction_id, occurred_at"
    op.execute(DECISIONS.format(day=DAY, key=key, partitioning="PARTITION BY RANGE (occurred_at)"))
    op.execute(
        "SELECT warehouse.make_month(month) FROM (SELECT DISTINCT "
        "date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date AS month "
        "FROM warehouse.decisions_before) AS months"
    )
    for name in ("customer", "merchant"):
        op.execute(
            f"INSERT INTO warehouse.{name}s ({name}_id, first_at, last_at) "  # noqa: S608 - names of our own
            f"SELECT {name}_id, min(occurred_at), max(occurred_at) FROM warehouse.decisions_before "
            f"WHERE {name}_id IS NOT NULL GROUP BY {name}_id"
        )
    _move_decisions("decisions_before", "decisions")
    op.execute(STATES)


def _unite_decisions() -> None:
    op.execute("DROP VIEW warehouse.adjustment_states")
    op.execute("ALTER TABLE warehouse.decisions RENAME TO decisions_by_month")
    op.execute("ALTER INDEX warehouse.decisions_pkey RENAME TO decisions_by_month_pkey")
    for name in DECISIONS_INDEXES:
        op.execute(f"DROP INDEX warehouse.decisions_{name}")
    op.execute(DECISIONS.format(day="", key="customer_id, transaction_id", partitioning=""))
    op.create_index("decisions_occurred_at", "decisions", ["occurred_at"], schema=SCHEMA)
    _move_decisions("decisions_by_month", "decisions")
    op.execute(STATES)


def _move_decisions(source: str, target: str) -> None:
    op.execute(
        f"INSERT INTO warehouse.{target} ({DECISIONS_COLUMNS}) "  # noqa: S608 - names of our own
        f"SELECT {DECISIONS_COLUMNS} FROM warehouse.{source}"
    )
    op.drop_table(source, schema=SCHEMA)


def _indexes() -> None:
    """Those that docs/warehouse.md's questions, the load and `bdp decisions` use; a test looks at plans."""
    for fact in ("transactions", "decisions", "predictions"):
        op.create_index(f"{fact}_occurred_at", fact, ["occurred_at"], schema=SCHEMA)
    for fact in ("transactions", "decisions"):
        op.create_index(f"{fact}_transaction", fact, ["transaction_id"], schema=SCHEMA)
    op.create_index(
        "transactions_customer_time", "transactions", ["customer_id", "occurred_at"], schema=SCHEMA
    )
    not_approved = sa.text("decision <> 'approve'")
    op.create_index(
        "decisions_not_approved", "decisions", ["occurred_at"], schema=SCHEMA, postgresql_where=not_approved
    )


def _figures() -> None:
    op.execute(
        f"""
        CREATE TABLE warehouse.daily_figures (
        event_date date NOT NULL REFERENCES warehouse.dates,
        merchant_category text NOT NULL,
        country text NOT NULL,
        channel text NOT NULL,
        {FIGURES}
        PRIMARY KEY (event_date, merchant_category, country, channel))
        """
    )
    op.execute(
        f"""
        CREATE TABLE warehouse.hourly_figures (
        hour timestamptz NOT NULL,
        merchant_category text NOT NULL,
        {FIGURES}
        PRIMARY KEY (hour, merchant_category))
        """
    )


def _loads() -> None:
    """Which load changed what, kept as `list_changes` is: no row is ever updated or deleted."""
    op.create_table(
        "loads",
        sa.Column("load_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("loaded_at", TIME, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("loaded_by", sa.Text, nullable=False, server_default=sa.text("session_user")),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("loads_loaded_at", "loads", ["loaded_at"], schema=SCHEMA)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON warehouse.loads "
        "FOR EACH STATEMENT EXECUTE FUNCTION warehouse.refuse_change()"
    )
