"""Tables of a PostgreSQL that is not ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from bdp_assets.clients.source_database import (
    CONNECT_TIMEOUT_S,
    STATEMENT_TIMEOUT_S,
    Page,
    Place,
    SourceRefused,
    SourceUnavailable,
    Table,
    plain,
    wait_while,
)

URL = "postgresql://user:password@host:port/database"
_ADVICE = (
    f"Does it run, and is the URL right? Its form is {URL}, with special characters of the password as %XX."
)
_REASONS = (
    *("password authentication failed", "no pg_hba.conf entry", "does not exist", "permission denied"),
    *("Connection refused", "timeout expired", "could not translate host name", "too many clients"),
)
"""What may be told of the driver's words: of a URL that it misreads they hold parts of the password."""


class PostgresTable:
    """A `SourceTable` by `with opened(url, table)`; every page is a read-only transaction of its own."""

    def __init__(self, connection: psycopg.Connection[Any], table: Table) -> None:
        self._connection = connection
        self._table = table
        self._name = sql.Identifier(*table.name.split("."))
        # Of the table, not of the answer, where a column may be named alike and be text.
        self._cursor, self._key = sql.Identifier("source", table.cursor), sql.Identifier("source", table.key)

    def has_rows_without_place(self) -> bool:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} AS source WHERE {} IS NULL OR {} IS NULL)")
        return bool(self._ask(query.format(self._name, self._cursor, self._key))[0][0])

    def settled_end(self) -> str | None:
        query = sql.SQL(
            "SELECT max({})::text, pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM {} AS source"
        )
        ((highest, next_id),) = self._ask(query.format(self._cursor, self._name))
        if highest is None:
            return None
        oldest = sql.SQL("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        wait_while(lambda: self._ask(oldest)[0][0] < next_id, "pg_stat_activity")
        return str(highest)

    def page(self, after: Place | None, end: str, most: int) -> Page:
        columns = sql.SQL(", ").join(map(sql.Identifier, self._table.columns))
        behind = sql.SQL("AND ({}, {}) > (%s, %s)").format(self._cursor, self._key) if after else sql.SQL("")
        query = sql.SQL(
            "SELECT {cursor}::text, {key}::text, {columns} FROM {name} AS source "
            "WHERE {cursor} <= %s {behind} ORDER BY {cursor}, {key} LIMIT %s"
        ).format(cursor=self._cursor, key=self._key, columns=columns, name=self._name, behind=behind)
        found = self._ask(query, [end, *(after or ()), most])
        rows = [tuple(map(plain, row[2:])) for row in found]
        return Page(rows, [(row[0], row[1]) for row in found])

    def _ask(self, query: sql.SQL | sql.Composed, values: Sequence[object] = ()) -> list[Any]:
        with _told(), self._connection.transaction():
            return self._connection.execute(query, values).fetchall()


@contextmanager
def opened(url: str, table: Table) -> Iterator[PostgresTable]:
    """Raises SourceUnavailable, SourceRefused, here and from the table's methods."""
    options = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_S * 1000} -c timezone=UTC "
        "-c default_transaction_read_only=on"
    )
    try:
        connection = psycopg.connect(
            url,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="bdp-ingest",
            options=options,
            autocommit=True,
        )
    except psycopg.Error as error:
        raise SourceUnavailable(f"The source's database does not let us in{_why(error)}. {_ADVICE}") from None
    try:
        yield PostgresTable(connection, table)
    finally:
        connection.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise SourceUnavailable(f"The source's database: {_first_line(error)}") from None
    except psycopg.errors.DataError as error:
        # Its text may hold a value.
        raise SourceRefused(f"The source's database: {type(error).__name__} ({error.sqlstate})") from None
    except psycopg.Error as error:
        raise SourceRefused(f"The source's database: {_first_line(error)}") from None


def _why(error: Exception) -> str:
    known = [reason for reason in _REASONS if reason.lower() in str(error).lower()]
    return f" ({', '.join(known)})" if known else ""


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
