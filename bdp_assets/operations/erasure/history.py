"""Dagster's part: its events show the first rows of what was written, and what a check found, as text."""

from __future__ import annotations

import re

from psycopg import sql

from bdp_assets.clients.postgres import Connection, connect
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.settings import Settings

DATABASE = "dagster"
_REPLACED = "(erased)"
_COLUMNS = """
    SELECT table_name, column_name, data_type FROM information_schema.columns JOIN information_schema.tables
        USING (table_catalog, table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
        AND data_type IN ('text', 'character varying', 'json', 'jsonb')
    ORDER BY table_name, column_name
"""
_REPLACE = """
    UPDATE {table} SET {column} = regexp_replace({column}::text, %(word)s, %(replaced)s, 'g')::{kind}
    WHERE strpos({column}::text, %(id)s) > 0 AND {column}::text ~ %(word)s
"""


def erase(settings: Settings, customer: Customer) -> int:
    """Texts that were changed, in whatever table. Raises WarehouseUnavailable."""
    with connect(settings, DATABASE) as connection:
        columns = connection.execute(_COLUMNS).fetchall()
        return sum(_replaced(connection, customer, *column) for column in columns)


def _replaced(connection: Connection, customer: Customer, table: str, column: str, kind: str) -> int:
    statement = sql.SQL(_REPLACE).format(
        table=sql.Identifier("public", table), column=sql.Identifier(column), kind=sql.SQL(kind)
    )
    values = {"id": customer.id, "word": _word(customer.id), "replaced": _REPLACED}
    return connection.execute(statement, values).rowcount


def _word(customer_id: str) -> str:
    """The id as PostgreSQL finds it: no part of a longer one, also behind a line break of JSON."""
    return rf"((?<![A-Za-z0-9._-])|(?<=\\[nrt])){re.escape(customer_id)}(?![A-Za-z0-9_-]|\.[A-Za-z0-9])"
