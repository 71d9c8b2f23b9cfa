"""A table as a source: in the order of its cursor, each row once, also one that is committed late."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bdp_assets.clients import source_database
from bdp_assets.clients.source_database import SourceRefused, SourceUnavailable
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources.arrivals import Rejected, Sendable, arrivals
from bdp_assets.ingest.sources.chunk import Position
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.ingest.sources.reading import chunks
from bdp_assets.runtime.problems import Problem
from bdp_assets_tests.integration.conftest import Platform
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
CREATE = """
    CREATE TABLE public.payments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), seen int NOT NULL,
    paid_at timestamptz DEFAULT '2024-01-15 11:30:00.125+01', card bigint, amount numeric(12, 2),
    till text DEFAULT 'T1')
"""


@pytest.fixture
def database(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    monkeypatch.setenv("SHOP_URL", platform.postgres)
    with psycopg.connect(platform.postgres, autocommit=True) as connection:
        connection.execute(CREATE)
        yield connection
        connection.execute("DROP TABLE public.payments")


def payments(home: Path, **changed: Any) -> Source:
    return entry(
        home, **{"location": None, "fields": FIELDS, **TABLE, "cursor": "seen", "batch_rows": 3, **changed}
    )


def read(source: Source, at: Position | None = None) -> tuple[list[dict[str, Any]], list[Rejected], Any]:
    """What would be sent, what is refused, and the position after it."""
    found = []
    for chunk in chunks(source, lambda _, at=at: at, growing=False):
        assert 0 < chunk.rows <= source.batch_rows
        found += arrivals(chunk, source.to_contract(), now_ms=NOW_MS)
        at = json.loads(json.dumps(chunk.after))
    sent = [json.loads(one.value, parse_float=str) for one in found if isinstance(one, Sendable)]
    return sent, [one for one in found if isinstance(one, Rejected)], at


def insert(database: psycopg.Connection[Any], *seen: int, amount: str = "12.50") -> None:
    for number in seen:
        values = [number, number, amount]
        database.execute("INSERT INTO public.payments (seen, card, amount) VALUES (%s, %s, %s)", values)


def test_rows_come_once_in_order_also_where_many_share_a_cursor(
    database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    source = payments(tmp_path)
    assert read(source) == ([], [], None)
    insert(database, 1, 10, *[2] * 7, 9)
    sent, refused, at = read(source)
    assert [one["customer_id"] for one in sent] == ["c1", *["c2"] * 7, "c9", "c10"]
    assert len({one["transaction_id"] for one in sent}) == 10
    assert refused == []
    assert {key: sent[0][key] for key in ("amount", "timestamp", "currency", "merchant_id")} == {
        "amount": "12.50",
        "timestamp": "2024-01-15T10:30:00.125Z",
        "currency": "EUR",
        "merchant_id": "T1",
    }
    insert(database, 11)
    insert(database, 12, amount="-3")
    sent, refused, after = read(source, at)
    assert [one["customer_id"] for one in sent] == ["c11"]
    assert [(one.place, one.field, json.loads(one.original)["amount"]) for one in refused] == [
        (12, "amount", "-3.00")
    ]
    assert read(source, after)[:2] == ([], [])


def test_a_row_that_is_committed_after_a_later_one_is_waited_for(
    platform: Platform, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    source = payments(tmp_path)
    with psycopg.connect(platform.postgres) as late:
        insert(late, 1)
        insert(database, 2)
        threading.Timer(0.3, late.commit).start()
        sent, _, _ = read(source)
    assert [one["customer_id"] for one in sent] == ["c1", "c2"]


def test_one_that_is_never_committed_is_told(
    platform: Platform,
    database: psycopg.Connection[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source_database, "PATIENCE_S", 0.0)
    with psycopg.connect(platform.postgres) as forgotten:
        insert(forgotten, 1)
        insert(database, 2)
        with pytest.raises(SourceUnavailable, match=r"has been open for 0 s.*pg_stat_activity"):
            read(payments(tmp_path))
        forgotten.rollback()


def test_what_is_in_the_way_is_said_and_holds_no_secret(
    database: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(database, 1)
    with pytest.raises(SourceRefused, match=r'relation "public\.absent" does not exist'):
        read(payments(tmp_path, table="public.absent"))
    with pytest.raises(SourceRefused, match='column "shop" does not exist'):
        read(payments(tmp_path, fields={**FIELDS, "channel": "shop"}))
    database.execute("ALTER TABLE public.payments ADD updated int")
    with pytest.raises(MappingError, match="has rows without updated or id"):
        read(payments(tmp_path, cursor="updated"))
    monkeypatch.setenv("SHOP_URL", "postgresql://me:secret@127.0.0.1:1/shop")
    with pytest.raises(SourceUnavailable) as away:
        read(payments(tmp_path))
    assert "secret" not in str(away.value)
    monkeypatch.delenv("SHOP_URL")
    with pytest.raises(Problem, match="SHOP_URL is not set"):
        read(payments(tmp_path))
