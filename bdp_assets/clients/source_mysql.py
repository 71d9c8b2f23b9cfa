"""Tables of a MySQL or MariaDB that is not ours."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from pymysql.constants import CR, ER, FIELD_TYPE
from pymysql.converters import conversions, convert_date, convert_datetime

from bdp_assets.clients.source_database import (
    CONNECT_TIMEOUT_S,
    LOOK_EVERY_S,
    STATEMENT_TIMEOUT_S,
    Page,
    Place,
    SourceRefused,
    SourceUnavailable,
    Table,
    plain,
    wait_while,
)

URL = "mysql://user:password@host:port/database"
_ADVICE = (
    f"Does it run, and is the URL right? Its form is {URL}, with special characters of the password as %XX; "
    "?ssl_ca=FILE behind it asks for TLS."
)
_PORT = 3306
_NOT_NOW = frozenset(
    {ER.CON_COUNT_ERROR, ER.SERVER_SHUTDOWN, ER.LOCK_WAIT_TIMEOUT, ER.LOCK_DEADLOCK, ER.QUERY_INTERRUPTED}
)
_CLIENT_ERRORS = range(CR.CR_ERROR_FIRST, 3000)
_WHOLE = {FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG}
_EXACT = {*_WHOLE, FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.YEAR}
_TIMES = {FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP}
_TEXTS = {FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING}

# `trx_query`: also a statement that has its numbers and has not written a row yet.
_UNDER_WAY = (
    "SELECT trx_mysql_thread_id, trx_started FROM information_schema.innodb_trx "
    "WHERE trx_is_read_only = 0 AND trx_mysql_thread_id <> connection_id() "
    "AND (trx_rows_modified > 0 OR trx_query IS NOT NULL)"
)
_HIGHEST = "SELECT CONVERT(max({cursor}) USING utf8mb4) FROM {table} AS source"
_PLACELESS = "SELECT EXISTS (SELECT 1 FROM {table} AS source WHERE {cursor} IS NULL OR {key} IS NULL)"
_KIND = "SELECT {cursor} FROM {table} AS source LIMIT 0"
_BOUND = (
    "SELECT CONVERT({cursor} USING utf8mb4) FROM {table} AS source WHERE {cursor} <= %s {behind} "
    "ORDER BY {cursor} LIMIT 1 OFFSET {offset}"
)
_PAGE = (
    "SELECT CONVERT({cursor} USING utf8mb4), CONVERT({key} USING utf8mb4), {columns} FROM {table} AS source "
    "WHERE {cursor} <= %s {behind} ORDER BY {cursor}, {bytes} LIMIT {most}"
)


class MySqlTable:
    """A `SourceTable` by `with opened(url, table)`; every question is a read-only transaction of its own."""

    def __init__(self, connection: Any, table: Table) -> None:
        self._connection = connection
        self._column = table.cursor
        key = f"source.{_quoted(table.key)}"
        self._names = {
            "table": ".".join(map(_quoted, table.name.split("."))),
            # Of the table, not of the answer, where a column may be named alike and be text.
            "cursor": f"source.{_quoted(table.cursor)}",
            "key": key,
            # Keys that a collation takes for one ('a' and 'A') are two.
            "bytes": f"CAST(CONVERT({key} USING utf8mb4) AS BINARY)",
            "columns": ", ".join(map(_quoted, table.columns)),
        }
        self._columns = table.columns
        self._is_number = self._kind() in _EXACT

    def has_rows_without_place(self) -> bool:
        return bool(self._ask(_PLACELESS)[0][0])

    def settled_end(self) -> str | None:
        ((highest,),) = self._ask(_HIGHEST)
        if highest is None:
            return None
        time.sleep(LOOK_EVERY_S)  # MySQL shows its transactions as they were up to 0.1 s ago
        before = set(self._under_way())
        wait_while(lambda: bool(before & set(self._under_way())), "information_schema.innodb_trx")
        return str(highest)

    def page(self, after: Place | None, end: str, most: int) -> Page:
        # Up to the cursor of the last row of a page, so that the server need not sort all that is left.
        behind, values = ("AND {cursor} > %s", [self._literal(after[0])]) if after else ("", [])
        bound = self._ask(_BOUND, [self._literal(end), *values], behind=behind, offset=most - 1)
        last = self._literal(str(bound[0][0]) if bound else end)
        if after:
            behind = "AND {cursor} >= %s AND ({cursor} > %s OR {bytes} > CAST(%s AS BINARY))"
            values = [*values, *values, after[1]]
        rows = self._ask(_PAGE, [last, *values], behind=behind, most=most)
        return Page([self._values(row[2:]) for row in rows], [(row[0], row[1]) for row in rows])

    def _kind(self) -> int:
        """Type of the cursor. Raises SourceRefused for one whose values are not told apart exactly."""
        with _told(), self._connection.cursor() as cursor:
            cursor.execute(_KIND.format_map(self._names), ())
            kind: int = cursor.description[0][1]
        if kind not in {*_EXACT, *_TIMES, *_TEXTS}:
            raise SourceRefused(
                f"The source's database: {self._column} can not be a cursor: take a column of whole numbers, "
                "decimals, dates, times or text."
            )
        return kind

    def _literal(self, cursor: str) -> Decimal | str:
        """A number that is compared with a text would be compared as a float."""
        return Decimal(cursor) if self._is_number else cursor

    def _under_way(self) -> Sequence[tuple[Any, ...]]:
        return self._ask(_UNDER_WAY)

    def _values(self, row: Sequence[Any]) -> tuple[Any, ...]:
        for name, value in zip(self._columns, row, strict=True):
            if isinstance(value, bytes):
                raise SourceRefused(
                    f"The source's database: {name} holds bytes, not text. Make a view that shows "
                    "it as text, by HEX() or BIN_TO_UUID(), and name the view in the entry."
                )
        return tuple(map(plain, row))

    def _ask(self, query: str, values: Sequence[object] = (), **parts: object) -> Sequence[tuple[Any, ...]]:
        names = {**self._names, **parts}
        names["behind"] = str(parts.get("behind", "")).format_map(names)
        with _told(), self._connection.cursor() as cursor:
            cursor.execute(query.format_map(names), values)
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextmanager
def opened(url: str, table: Table) -> Iterator[MySqlTable]:
    """Raises SourceUnavailable, SourceRefused, here and from the table's methods."""
    try:
        connection = pymysql.connect(
            **_parts(url),
            charset="utf8mb4",
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=STATEMENT_TIMEOUT_S,
            write_timeout=STATEMENT_TIMEOUT_S,
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
            program_name="bdp-ingest",
            conv=_CONVERSIONS,
        )
    except (pymysql.Error, ValueError, OSError) as error:
        raise SourceUnavailable(f"The source's database does not let us in{_why(error)}. {_ADVICE}") from None
    try:
        with _told(), connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
        yield MySqlTable(connection, table)
    finally:
        connection.close()


def _parts(url: str) -> Mapping[str, Any]:
    """The driver's arguments. Raises ValueError."""
    found = urlsplit(url)
    more = dict(parse_qsl(found.query, strict_parsing=bool(found.query)))
    database = unquote(found.path.removeprefix("/"))
    if (
        found.scheme != "mysql"
        or not (found.hostname and found.username and database)
        or set(more) - {"ssl_ca"}
    ):
        raise ValueError
    return {
        "host": found.hostname,
        "port": found.port or _PORT,
        "user": unquote(found.username),
        "password": unquote(found.password or ""),
        "database": database,
        **({"ssl": {"ca": more["ssl_ca"]}} if more else {}),
    }


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except pymysql.Error as error:
        code, text = (*error.args, "", "")[:2]
        if code == ER.SPECIFIC_ACCESS_DENIED_ERROR:
            raise SourceRefused(
                "The source's database does not show its open transactions, and without them a row that is "
                "committed late would be missed: GRANT PROCESS ON *.* to the user of the URL."
            ) from None
        if code in _NOT_NOW or code in _CLIENT_ERRORS or isinstance(error, pymysql.InterfaceError):
            raise SourceUnavailable(f"The source's database: {_name(error)}") from None
        # Of data that it can not convert, its text may hold a value.
        says = _name(error) if isinstance(error, pymysql.DataError) else str(text)
        raise SourceRefused(f"The source's database: {says or _name(error)}") from None


def _name(error: pymysql.Error) -> str:
    return f"{type(error).__name__} ({error.args[0] if error.args else ''})"


def _why(error: Exception) -> str:
    """The driver's number alone: its words hold what was given."""
    known = {
        ER.ACCESS_DENIED_ERROR: "access denied",
        ER.DBACCESS_DENIED_ERROR: "access denied to the database",
        ER.BAD_DB_ERROR: "no such database",
        ER.CON_COUNT_ERROR: "too many connections",
        CR.CR_CONN_HOST_ERROR: "no connection",
    }
    found = known.get(error.args[0]) if isinstance(error, pymysql.Error) and error.args else None
    return f" ({found})" if found else ""


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def _instant(text: str) -> datetime | None:
    """A TIMESTAMP, which this session reads in UTC."""
    found = _moment(text)
    return found.replace(tzinfo=UTC) if found else None


def _moment(text: str) -> datetime | None:
    """MySQL's 0000-00-00 is no moment."""
    found = convert_datetime(text)
    return found if isinstance(found, datetime) else None


def _day(text: str) -> date | None:
    found = convert_date(text)
    return found if isinstance(found, date) else None


def _bits(content: bytes) -> int:
    return int.from_bytes(content, "big")


_CONVERSIONS = {
    **conversions,
    FIELD_TYPE.TIMESTAMP: _instant,
    FIELD_TYPE.DATETIME: _moment,
    FIELD_TYPE.DATE: _day,
    FIELD_TYPE.BIT: _bits,
}
