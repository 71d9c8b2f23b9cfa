"""PostgreSQL, the warehouse: connections with time-outs; the only importer of SQLAlchemy."""

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

from bdp_assets.clients.outage import Outage
from bdp_assets.settings import Settings

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 60_000
IDLE_TIMEOUT_MS = 10_000
"""How long others may wait for the locks of a process that was stopped inside a transaction."""

_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout)
"""The connection was lost, the server is away or starts, a deadlock was broken, a time-out passed."""

Connection = psycopg.Connection[Any]
T = TypeVar("T")


class WarehouseUnavailable(Outage):
    """PostgreSQL can not be reached, refused us, or is not migrated."""

    reason = "warehouse_unavailable"


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


class WarehouseRefused(Exception):  # noqa: N818 - reads as what it is
    """PostgreSQL refused a statement of ours: a defect. The text holds no value of a row."""


class Warehouse:
    """One connection of one thread, opened when it is needed, and again after it was lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """What is done inside commits together at the end, or not at all.

        Raises WarehouseRefused, WarehouseUnavailable. Whether it was committed is not known then if the
        connection broke at the very end: do only what may be done again.
        """
        connection = self._open()
        try:
            with _told(), connection.transaction():
                yield connection
        except WarehouseUnavailable:
            self.close()
            raise
        except psycopg.Error as error:
            raise WarehouseRefused(f"PostgreSQL: {type(error).__name__} ({error.sqlstate})") from None

    def close(self) -> None:
        """Give the connection back; the next transaction opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._settings)
            self._connection.autocommit = True  # `transaction` alone begins and ends any
            self._connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
        return self._connection


@contextmanager
def session(settings: Settings) -> Iterator[Connection]:
    """A connection to the warehouse for one piece of work; commits at its end, and nothing if that fails.

    Raises WarehouseUnavailable, also where the server leaves meanwhile or lacks a migration.
    """
    with _told(), connect(settings) as connection:
        yield connection


_TABLES = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
)


def row_counts(settings: Settings, database: str) -> dict[str, int]:
    """`schema.table` -> rows, of every table (a partitioned one: of its partitions), however long it takes.

    Raises WarehouseUnavailable.
    """
    counts = {}
    with _told(), connect(settings, database) as connection:
        connection.execute("SET statement_timeout = 0")
        for schema, table in connection.execute(_TABLES).fetchall():
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            [[rows]] = connection.execute(query).fetchall()
            counts[f"{schema}.{table}"] = rows
    return counts


_ROOM = (
    "SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend'), current_setting('max_connections')::int"
)


def room(settings: Settings) -> tuple[int, int, int]:
    """Bytes of the warehouse's database, connections in use, and how many there may be.

    Raises WarehouseUnavailable.
    """
    with session(settings) as connection:
        [(size, used, most)] = connection.execute(_ROOM).fetchall()
    return size, used, most


@contextmanager
def _told() -> Iterator[None]:
    """Turn what passes, or is mended by a migration, into WarehouseUnavailable."""
    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise WarehouseUnavailable(
            f"The warehouse is older than this code ({_first_line(error)}): `bdp migrate`."
        ) from None
    except _PASSING as error:
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


def upsert(  # noqa: PLR0913 - what a table's rows merge by
    connection: Connection,
    table: str,
    frame: pl.DataFrame,
    key: Sequence[str],
    *,
    revision: str | None = None,
    merged: Mapping[str, str] | None = None,
) -> int:
    """Write rows into `schema.table`; one whose key is there already takes its place.

    COPY into a temporary table, then one statement; of rows with the same key the last stands. With
    `revision`, a stored row gives way to none whose value there is smaller (null: the smallest). `merged`:
    columns that are not replaced, and the SQL over `stored` and `excluded` that they become. Commits nothing.
    Returns how many rows are new or changed.
    """
    _stage(connection, table, frame.unique(key, keep="last", maintain_order=True))
    values: dict[str, sql.Composable] = {name: sql.Identifier("excluded", name) for name in frame.columns}
    values |= {name: sql.SQL(text) for name, text in (merged or {}).items()}
    others = [name for name in frame.columns if name not in key]
    newer = sql.SQL(" AND coalesce(excluded.{0} >= stored.{0}, stored.{0} IS NULL)")
    merge = sql.SQL(
        "INSERT INTO {target} AS stored ({columns}) SELECT {columns} FROM incoming ON CONFLICT ({key}) "
        "DO UPDATE SET ({others}) = ROW({values}) WHERE ROW({before}) IS DISTINCT FROM ROW({values}){newer}"
    )
    statement = merge.format(
        target=sql.Identifier(*table.split(".")),
        columns=_listed(frame.columns),
        key=_listed(key),
        others=_listed(others),
        values=sql.SQL(", ").join(values[name] for name in others),
        before=sql.SQL(", ").join(sql.Identifier("stored", name) for name in others),
        newer=newer.format(sql.Identifier(revision)) if revision else sql.SQL(""),
    )
    return connection.execute(statement).rowcount


def _stage(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    """COPY rows into `incoming`, which has the table's columns and ends with the transaction."""
    target = sql.Identifier(*table.split("."))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS incoming")
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE incoming (LIKE {}) ON COMMIT DROP").format(target))
        with cursor.copy(sql.SQL("COPY incoming ({}) FROM STDIN").format(_listed(frame.columns))) as copy:
            for row in frame.iter_rows():
                copy.write_row(row)
        cursor.execute("ANALYZE incoming")


def _listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
