"""A table as a source, of each database: in the order of its cursor, each row once, also one that is
committed late."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.clients import source_database
from bdp_assets.clients.source_database import SourceRefused, SourceUnavailable
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources.arrivals import Rejected, Sendable, arrivals
from bdp_assets.ingest.sources.chunk import Position
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.ingest.sources.reading import chunks
from bdp_assets.runtime.problems import Problem
from bdp_assets_tests.integration.ingest.databases import Database, MariaDb, PostgreSql, Session
from bdp_assets_tests.unit.ingest.sources.entries import TABLE, entry

pytestmark = pytest.mark.services
NOW_MS = 1_750_000_000_000
FIELDS = {
    "transaction_id": "id",
    "customer_id": {"column": "card", "prefix": "c"},
    "amount": "amount",
    "timestamp": "paid_at",
    "merchant_id": "till",
}


@pytest.fixture(params=[PostgreSql, MariaDb], ids=lambda kind: kind.kind)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """What is proved here is proved of each; it has a table `payments`, empty."""
    if request.param is MariaDb:
        found: Database = request.getfixturevalue("maria")
    else:
        found = PostgreSql(request.getfixturevalue("platform").postgres)
    monkeypatch.setenv("SHOP_URL", found.url)
    session = found.session(autocommit=True)
    session.run(found.create)
    yield found
    session.run("DROP TABLE payments")
    session.close()


@pytest.fixture
def writer(database: Database) -> Iterator[Session]:
    session = database.session(autocommit=True)
    yield session
    session.close()


def payments(database: Database, home: Path, **changed: Any) -> Source:
    table = {**TABLE, "format": database.kind, "table": "payments", "cursor": "seen", "batch_rows": 3}
    return entry(home, **{"location": None, "fields": FIELDS, **table, **changed})


def read(source: Source, at: Position | None = None) -> tuple[list[dict[str, Any]], list[Rejected], Any]:
    """What would be sent, what is refused, and the position after it."""
    found = []
    for chunk in chunks(source, lambda _, at=at: at, growing=False):
        assert 0 < chunk.rows <= source.batch_rows
        found += arrivals(chunk, source.to_contract(), now_ms=NOW_MS)
        at = json.loads(json.dumps(chunk.after))
    sent = [json.loads(one.value, parse_float=str) for one in found if isinstance(one, Sendable)]
    return sent, [one for one in found if isinstance(one, Rejected)], at


def insert(writer: Session, *seen: int, amount: str | None = "12.50") -> None:
    for number in seen:
        values = (number, number, amount)
        writer.run("INSERT INTO payments (seen, card, amount) VALUES (%s, %s, %s)", values)


def test_rows_come_once_in_order_also_where_many_share_a_cursor(
    database: Database, writer: Session, tmp_path: Path
) -> None:
    source = payments(database, tmp_path)
    assert read(source) == ([], [], None)
    large = 2**53
    insert(writer, 1, large + 1, *[2] * 7, large, 9)
    sent, refused, at = read(source)
    assert [one["customer_id"] for one in sent] == ["c1", *["c2"] * 7, "c9", f"c{large}", f"c{large + 1}"]
    assert len({one["transaction_id"] for one in sent}) == 11
    assert refused == []
    assert {key: sent[0][key] for key in ("amount", "timestamp", "currency", "merchant_id")} == {
        "amount": "12.50",
        "timestamp": "2024-01-15T10:30:00.125Z",
        "currency": "EUR",
        "merchant_id": "T1",
    }
    insert(writer, large + 2)
    insert(writer, large + 3, amount="-3")
    insert(writer, large + 4, amount=None)
    sent, refused, after = read(source, at)
    assert [one["customer_id"] for one in sent] == [f"c{large + 2}"]
    assert [(one.place, one.field, json.loads(one.original)["amount"]) for one in refused] == [
        (13, "amount", "-3.00"),
        (14, "amount", None),
    ]
    assert read(source, after)[:2] == ([], [])


def test_it_goes_on_within_rows_of_one_cursor(database: Database, writer: Session, tmp_path: Path) -> None:
    source = payments(database, tmp_path)
    insert(writer, 1, *[2] * 7, 3)
    everything = [one["transaction_id"] for one in read(source)[0]]
    for cut in (1, 4, 8):
        smaller = source.model_copy(update={"batch_rows": cut})
        first = next(iter(chunks(smaller, lambda _: None, growing=False)))
        assert [one["transaction_id"] for one in read(source, first.after)[0]] == everything[cut:]


def test_a_time_may_be_the_cursor(database: Database, writer: Session, tmp_path: Path) -> None:
    source = payments(database, tmp_path, cursor="paid_at")
    for number, second in enumerate(("00.125", "00.124", "59.999", "00.125")):
        values = (number, number, f"2024-01-15 10:30:{second}")
        writer.run("INSERT INTO payments (seen, card, amount, paid_at) VALUES (%s, %s, 1, %s)", values)
    sent, _, at = read(source)
    assert [one["timestamp"][17:23] for one in sent] == ["00.124", "00.125", "00.125", "59.999"]
    assert read(source, at)[0] == []


def test_a_row_that_is_committed_after_a_later_one_is_waited_for(
    database: Database, writer: Session, tmp_path: Path
) -> None:
    with closing(database.session()) as late:
        insert(late, 1)
        insert(writer, 2)
        threading.Timer(0.5, late.commit).start()
        sent, _, _ = read(payments(database, tmp_path))
    assert [one["customer_id"] for one in sent] == ["c1", "c2"]


def test_one_that_is_never_committed_is_told(
    database: Database, writer: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_database, "PATIENCE_S", 0.0)
    with closing(database.session()) as forgotten:
        insert(forgotten, 1)
        insert(writer, 2)
        with pytest.raises(SourceUnavailable, match=f"has been open for 0 s.*{database.open_shown_by}"):
            read(payments(database, tmp_path))


def test_what_is_in_the_way_is_said_and_holds_no_secret(
    database: Database, writer: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(writer, 1)
    with pytest.raises(SourceRefused, match=database.no_table):
        read(payments(database, tmp_path, table="absent"))
    with pytest.raises(SourceRefused, match=database.no_column):
        read(payments(database, tmp_path, fields={**FIELDS, "channel": "shop"}))
    writer.run("ALTER TABLE payments ADD updated int")
    with pytest.raises(MappingError, match="has rows without updated or id"):
        read(payments(database, tmp_path, cursor="updated"))
    monkeypatch.setenv("SHOP_URL", database.away)
    with pytest.raises(SourceUnavailable) as away:
        read(payments(database, tmp_path))
    assert "secret" not in str(away.value)
    monkeypatch.delenv("SHOP_URL")
    with pytest.raises(Problem, match=f"SHOP_URL is not set(.|\n)*{database.kind}://"):
        read(payments(database, tmp_path))


def test_mysql_tells_keys_apart_that_its_collation_does_not(
    maria: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", maria.url)
    with table_of(
        maria, "id varchar(9), seen int, card int, amount decimal(9,2), paid_at timestamp, till int"
    ):
        session = maria.session(autocommit=True)
        for key in ("a", "A", "b", "B", "ä", "a1"):
            session.run("INSERT INTO odd VALUES (%s, 1, 1, 2, '2024-01-15 10:30:00', 3)", (key,))
        sent, refused, _ = read(payments(maria, tmp_path, table="odd", batch_rows=1))
        session.close()
    assert [one["transaction_id"] for one in sent] == ["A", "B", "a", "a1", "b"]
    assert [one.field for one in refused] == ["transaction_id"]


def test_mysql_s_own_kinds_of_values(maria: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", maria.url)
    columns = (
        "id int, seen double, card bit(8), amount decimal(9,2), paid_at timestamp NULL, till varbinary(4)"
    )
    with table_of(maria, columns):
        session = maria.session(autocommit=True)
        session.run("SET sql_mode = ''")
        session.run("INSERT INTO odd VALUES (1, 1, b'101', 2, '2024-01-15 10:30:00', 'x')")
        session.run("INSERT INTO odd VALUES (2, 1, b'1', 2, '0000-00-00 00:00:00', 'x')")
        session.close()
        with pytest.raises(SourceRefused, match="seen can not be a cursor"):
            read(payments(maria, tmp_path, table="odd"))
        with pytest.raises(SourceRefused, match=r"till holds bytes.*view"):
            read(payments(maria, tmp_path, table="odd", cursor="id"))
        fields = {key: column for key, column in FIELDS.items() if key != "merchant_id"}
        sent, refused, _ = read(payments(maria, tmp_path, table="odd", cursor="id", fields=fields))
    assert [one["customer_id"] for one in sent] == ["c5"]
    assert [(one.place, one.field) for one in refused] == [(2, "timestamp")]


def test_mysql_without_the_right_to_see_transactions_is_refused(
    maria: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with table_of(maria, "id int, seen int, card int, amount int, paid_at timestamp, till int"):
        session = maria.session(autocommit=True)
        session.run("INSERT INTO odd VALUES (1, 1, 1, 1, now(), 1)")
        session.close()
        monkeypatch.setenv("SHOP_URL", maria.url.replace("reader", "blind"))
        with pytest.raises(SourceRefused, match="GRANT PROCESS"):
            read(payments(maria, tmp_path, table="odd"))


@contextmanager
def table_of(maria: MariaDb, columns: str) -> Iterator[None]:
    session = maria.session(autocommit=True)
    session.run(f"CREATE TABLE odd ({columns})")
    try:
        yield
    finally:
        session.run("DROP TABLE odd")
        session.close()
