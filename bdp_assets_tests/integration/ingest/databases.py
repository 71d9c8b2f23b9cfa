"""The databases that a source may be a table of, each as the tests need it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import unquote, urlsplit

import psycopg
import pymysql
import pytest

from bdp_assets.runtime import ports

_STARTED_S = 60


class Session(Protocol):
    """A connection with which somebody else writes into the table."""

    def run(self, query: str, values: tuple[Any, ...] = ()) -> None: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class Database:
    """`away`: a URL with a password at which nothing answers."""

    url: str
    kind: ClassVar[str]
    create: ClassVar[str]
    away: ClassVar[str]
    open_shown_by: ClassVar[str]
    no_table: ClassVar[str]
    no_column: ClassVar[str]

    def session(self, *, autocommit: bool = False) -> Session:
        raise NotImplementedError


class PostgreSql(Database):
    kind = "postgresql"
    create = """
        CREATE TABLE payments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), seen bigint NOT NULL,
        paid_at timestamptz DEFAULT '2024-01-15 11:30:00.125+01', card bigint, amount numeric(12, 2),
        till text DEFAULT 'T1')
    """
    away = "postgresql://me:secret@127.0.0.1:1/shop"
    open_shown_by = "pg_stat_activity"
    no_table = r'relation "absent" does not exist'
    no_column = 'column "shop" does not exist'

    def session(self, *, autocommit: bool = False) -> Session:
        return _Psycopg(psycopg.connect(self.url, autocommit=autocommit))


class MariaDb(Database):
    kind = "mysql"
    create = """
        CREATE TABLE payments (id char(36) CHARACTER SET latin1 PRIMARY KEY DEFAULT (uuid()),
        seen bigint NOT NULL, paid_at timestamp(3) DEFAULT '2024-01-15 10:30:00.125', card bigint,
        amount numeric(12, 2), till varchar(9) DEFAULT 'T1') ENGINE InnoDB
    """
    away = "mysql://me:secret@127.0.0.1:1/shop"
    open_shown_by = "information_schema.innodb_trx"
    no_table = r"Table 'shop\.absent' doesn't exist"
    no_column = "Unknown column 'shop'"

    def session(self, *, autocommit: bool = False) -> Session:
        where = urlsplit(self.url)
        return _PyMySql(
            pymysql.connect(
                host=where.hostname,
                port=where.port or 0,
                user=where.username,
                password=unquote(where.password or ""),
                database=where.path[1:],
                autocommit=autocommit,
                init_command="SET time_zone = '+00:00', lock_wait_timeout = 5",
            )
        )


class _Psycopg:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.commit, self.close = connection.commit, connection.close

    def run(self, query: str, values: tuple[Any, ...] = ()) -> None:
        self._connection.execute(query, values)  # type: ignore[arg-type]


class _PyMySql:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.commit, self.close = connection.commit, connection.close

    def run(self, query: str, values: tuple[Any, ...] = ()) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)


@contextmanager
def mariadb(home: Path) -> Iterator[str]:
    """Debian's MariaDB on a free port of this machine, its data in `home`: URL of the database shop."""
    server, install = _binary("mariadbd"), _binary("mariadb-install-db")
    port = ports.choose_free(("mariadb",))["mariadb"]
    data, socket = home / "data", home / "sock"
    account = ["--user=root"] if os.geteuid() == 0 else []
    made = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*made, "--skip-test-db", *account], check=True, capture_output=True)
    asked = [f"--datadir={data}", f"--port={port}", f"--socket={socket}", "--bind-address=127.0.0.1"]
    small = ["--innodb-buffer-pool-size=16M", "--skip-name-resolve", "--performance-schema=OFF"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [server, "--no-defaults", *asked, *small, *account], stdout=log, stderr=log
        )
    try:
        _prepare(socket, process)
        yield f"mysql://reader:se%40cret@127.0.0.1:{port}/shop"
    finally:
        process.kill()  # nobody wants its data
        process.wait()


def _prepare(socket: Path, process: subprocess.Popen[bytes]) -> None:
    """`reader` may what docs/sources.md says that a reader needs, and make the tests' tables."""
    deadline = time.monotonic() + _STARTED_S
    while True:
        try:
            root = pymysql.connect(unix_socket=str(socket), user="root")
            break
        except pymysql.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    with root, root.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER reader@127.0.0.1 IDENTIFIED BY 'se@cret'")
        cursor.execute("CREATE USER blind@127.0.0.1 IDENTIFIED BY 'se@cret'")
        cursor.execute("GRANT PROCESS ON *.* TO reader@127.0.0.1")
        cursor.execute("GRANT ALL ON shop.* TO reader@127.0.0.1")
        cursor.execute("GRANT SELECT ON shop.* TO blind@127.0.0.1")


def _binary(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"there is no {name}: .ci/run installs mariadb-server")
        pytest.skip(f"no {name} on this machine: apt-get install mariadb-server")
    return found
