"""PostgreSQL, the warehouse: connections with time-outs; the only importer of psycopg and SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import class_row
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from bdp_assets.settings import Settings

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 60_000

Connection = psycopg.Connection[Any]
T = TypeVar("T")


class WarehouseUnavailable(ConnectionError):  # noqa: N818 - reads as what it is
    """PostgreSQL can not be reached, or refused us."""


def connect(settings: Settings, database: str = "bdp") -> Connection:
    """Open a connection; a transaction begins with its first statement. Raises WarehouseUnavailable."""
    try:
        return psycopg.connect(
            settings.postgres(database),
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="bdp",
            options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
        )
    except psycopg.OperationalError as error:
        raise WarehouseUnavailable(
            f"PostgreSQL did not let us into database {database}: {_first_line(error)} "
            "Is it running (bdp status)? Is BDP_POSTGRES_URL right?"
        ) from None


@contextmanager
def session(settings: Settings) -> Iterator[Connection]:
    """A connection to the warehouse for one piece of work; commits at its end, and nothing if that fails.

    Raises WarehouseUnavailable, also where the server leaves meanwhile or lacks a migration.
    """
    try:
        with connect(settings) as connection:
            yield connection
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise WarehouseUnavailable(
            f"The warehouse is older than this code ({_first_line(error)}): `bdp migrate`."
        ) from None
    except psycopg.OperationalError as error:
        raise WarehouseUnavailable(f"PostgreSQL: {_first_line(error)} Is it running (bdp status)?") from None


def as_objects(
    connection: Connection, kind: type[T], query: str, values: Mapping[str, Any] | Sequence[Any]
) -> list[T]:
    """The rows of a query, each made into a `kind` by column name."""
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query, values).fetchall()


def lock(connection: Connection, name: str, wait_s: float = 5.0) -> bool:
    """Take the lock of that name for as long as the connection lives; False if another has it that long."""
    try:
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait_s:g}s"])
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
    except psycopg.errors.LockNotAvailable:
        connection.rollback()
        return False
    connection.commit()
    return True


def engine(settings: Settings, database: str = "bdp") -> Engine:
    """SQLAlchemy engine for the migrations; connects at first use."""
    url = make_url(settings.postgres(database)).set(drivername="postgresql+psycopg")
    return create_engine(url, connect_args={"connect_timeout": CONNECT_TIMEOUT_S})


def _first_line(error: Exception) -> str:
    """The driver's message starts with host and port; it never holds the password."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def upsert(connection: Connection, table: str, frame: pl.DataFrame, key: Sequence[str]) -> int:
    """Write rows into `schema.table`; one whose key is there already takes its place.

    COPY into a temporary table, then one statement; of rows with the same key the last stands. Commits
    nothing. Returns how many rows are new or changed.
    """
    target = sql.Identifier(*table.split("."))
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name))
        for name in frame.columns
        if name not in key
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS incoming")
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE incoming (LIKE {}) ON COMMIT DROP").format(target))
        with cursor.copy(sql.SQL("COPY incoming ({}) FROM STDIN").format(columns)) as copy:
            for row in frame.unique(key, keep="last", maintain_order=True).iter_rows():
                copy.write_row(row)
        merge = sql.SQL(
            "INSERT INTO {target} AS stored ({columns}) SELECT {columns} FROM incoming "
            "ON CONFLICT ({key}) DO UPDATE SET {assignments} WHERE stored IS DISTINCT FROM excluded"
        )
        cursor.execute(
            merge.format(
                target=target,
                columns=columns,
                key=sql.SQL(", ").join(map(sql.Identifier, key)),
                assignments=assignments,
            )
        )
        return cursor.rowcount
