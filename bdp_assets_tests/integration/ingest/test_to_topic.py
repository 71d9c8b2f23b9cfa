"""A source on its way to the raw topic: each row once, wherever it is killed, and none missing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest
from confluent_kafka import Producer

from bdp_assets.clients.kafka import Message, TopicSpec, ensure_topics, stream_range, watermarks
from bdp_assets.contracts.codec import decode_dead_letter
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.topics import DLQ, LABELS, RAW
from bdp_assets.defs.sources import source_assets
from bdp_assets.operations import migrations
from bdp_assets.operations.dead_letters import listing, query
from bdp_assets.operations.topics import specs
from bdp_assets.settings import Settings, get_settings
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.ingest.databases import MariaDb
from bdp_assets_tests.integration.stream import until
from bdp_assets_tests.unit.ingest.sources.entries import COLUMNS, HEADER, SHOP, TABLE, TOPIC, row, write

pytestmark = pytest.mark.services
ROWS, BATCH = 6_000, 300
NOW_MS = 1_800_000_000_000
BAD = 11
"""Every so many rows, one that the contract refuses."""

DIES = {
    "before the plan": "Sender.send = die",
    "after the plan": "Sender._publish = die",
    "in the transaction": """
def commit(receipts, publisher, receipt):
    publisher._producer.flush(10)
    die()
Receipts.commit = commit""",
    "between producing and settling": """
produce = Sender._publish
def produced(*arguments):
    produce(*arguments)
    die()
Sender._publish = produced""",
    "at some moment": """
publish = Sender._publish
def timed(*arguments):
    threading.Timer(random.uniform(0, 0.05), die).start()
    Sender._publish = publish
    publish(*arguments)
Sender._publish = timed""",
}
PROGRAM = """
import os, random, signal, threading
from bdp_assets.clients.kafka import Receipts
from bdp_assets.cli.main import app
from bdp_assets.operations.ingest.sending import Sender
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{patch}
app(["ingest", "shop", "--to", "topic"])
"""


class Shop:
    """A source of its own for each test: `prefix` begins its transactions' ids."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self.settings = settings
        self.environment = environment
        self._before = watermarks(settings, [RAW.name, LABELS.name, DLQ.name])

    def run(self, patch: str = "") -> tuple[int, str]:
        """`bdp ingest shop --to topic`: its exit code, and what it says."""
        command = [sys.executable, "-c", PROGRAM.format(patch=patch)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    @contextmanager
    def following(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "bdp_assets.cli.main", "ingest", "shop", "--to", "topic", "--follow"]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            process.kill()

    def since(self, topic: str) -> list[Message]:
        """Committed records since the test began."""
        ends = watermarks(self.settings, [topic])
        ranges = {place: (self._before[place][1], end) for place, (_, end) in ends.items()}
        return [message for batch in stream_range(self.settings, ranges) for message in batch]

    def sent(self) -> Counter[str]:
        return Counter(json.loads(message.value or b"")["transaction_id"] for message in self.since(RAW.name))

    def labels(self) -> Counter[tuple[str, int]]:
        found = [decode_label(m.value, received_ms=NOW_MS) for m in self.since(LABELS.name)]
        assert all(label.is_fraud for label in found)
        return Counter((label.transaction_id, label.known_at_ms) for label in found)

    def refused(self) -> Counter[bytes]:
        letters = [decode_dead_letter(message.value or b"") for message in self.since(DLQ.name)]
        assert {letter.source_topic for letter in letters} <= {"source:shop"}
        return Counter(b64decode(letter.value_base64) for letter in letters)


@pytest.fixture
def shop(platform: Platform, tmp_path: Path) -> Iterator[Shop]:
    """Its home is not that of the services, where PostgreSQL's password is."""
    settings = platform.settings.model_copy(update={"home": tmp_path, "postgres_url": platform.postgres})
    key = "0123456789abcdef" * 2
    environment = {
        **platform.environment,
        "BDP_HOME": str(tmp_path),
        "BDP_POSTGRES_URL": platform.postgres,
        "BDP_PAN_HASH_KEY": key,
    }
    migrations.upgrade(platform.settings)
    ensure_topics(settings, specs())
    labels = {
        "is_fraud": {"column": "chargeback"},
        "known_at": {"column": "told_at", "format": "%d/%m/%Y %H:%M:%S", "time_zone": "Europe/Paris"},
    }
    write(tmp_path, batch_rows=BATCH, location="shop-*.csv", labels=labels)
    yield Shop(settings, environment)
    migrations.downgrade(platform.settings, "base")


FRAUD = 13
"""Every so many rows, one that says it was fraud."""


def line(number: int) -> str:
    plain = row(number, "-1") if number % BAD == 0 else row(number)
    return f"{plain.strip()},{int(number % FRAUD == 0)},16/01/2024 08:00:00\n"


GOOD = Counter(f"R{n}" for n in range(ROWS) if n % BAD)
KNOWN_MS = 1_705_388_400_000
"""07:00 UTC."""
LABELLED = Counter((f"R{n}", KNOWN_MS) for n in range(0, ROWS, FRAUD) if n % BAD)
REFUSED = Counter(line(n).strip().encode() for n in range(0, ROWS, BAD))


def fill(home: Path, name: str, numbers: range) -> None:
    path = home / "sources" / name
    path.write_text(HEADER.strip() + ",chargeback,told_at\n" + "".join(map(line, numbers)))


def test_killed_at_every_boundary_and_at_any_moment_each_row_arrives_once(shop: Shop, tmp_path: Path) -> None:
    fill(tmp_path, "shop-1.csv", range(ROWS // 2))
    fill(tmp_path, "shop-2.csv", range(ROWS // 2, ROWS))
    for place, patch in DIES.items():
        code, told = shop.run(patch)
        assert code == -signal.SIGKILL, (place, told)
    assert 0 < shop.sent().total() < GOOD.total(), "it was killed on the way"

    code, told = shop.run()

    assert code == 0, told
    assert shop.sent() == GOOD
    assert shop.refused() == REFUSED
    assert shop.labels() == LABELLED, "each fraud is told once, and none of a row that was refused"
    assert "out_of_range amount" in told
    found, _ = listing.errors(shop.settings, query.Filter(source_topic="source:shop"))
    assert [(group.error, group.field, group.letters) for group in found] == [
        ("out_of_range", "amount", REFUSED.total())
    ]


def test_a_table_of_mariadb_killed_on_its_way_arrives_once(
    shop: Shop, maria: MariaDb, tmp_path: Path
) -> None:
    """With many rows of one cursor, and batches that end among them."""
    rows = [(n, f"c{n % 7}", -1 if n % BAD == 0 else 1250, n // 250) for n in range(ROWS // 5)]
    shop.environment["SHOP_URL"] = maria.url
    table = {**TABLE, "format": maria.kind, "table": "receipts", "cursor": "day", "location": None}
    fields = {**SHOP["fields"], "timestamp": "paid_at"}
    write(tmp_path, batch_rows=BATCH, fields=fields, **table)
    with closing(maria.session(autocommit=True)) as writer:
        writer.run(
            "CREATE TABLE receipts (receipt int PRIMARY KEY, client text, cents int, day int, country text, "
            "paid_at timestamp DEFAULT '2024-01-15 10:30:00')"
        )
        for one in rows:
            writer.run("INSERT INTO receipts (receipt, client, cents, day) VALUES (%s, %s, %s, %s)", one)
        for place in ("in the transaction", "between producing and settling"):
            assert shop.run(DIES[place])[0] == -signal.SIGKILL, place
        assert 0 < shop.sent().total() < len(rows) // 2, "it was killed on the way"

        code, told = shop.run()

        assert code == 0, told
        assert shop.sent() == Counter(f"R{n}" for n, *_ in rows if n % BAD)
        refused = Counter(json.loads(original)["receipt"] for original in shop.refused().elements())
        assert refused == Counter(range(0, len(rows), BAD))
        writer.run("DROP TABLE receipts")


def test_a_topic_of_another_kafka_killed_on_its_way_arrives_once(shop: Shop, tmp_path: Path) -> None:
    """And what another program of that Kafka wrote and gave up is not there."""
    settings, topic = shop.settings, "terminals"
    ensure_topics(settings, [TopicSpec(topic, 2)])
    shop.environment["TERMINALS_KAFKA"] = settings.kafka
    write(tmp_path, batch_rows=100, **TOPIC, fields={**SHOP["fields"], "timestamp": "paid_at"})
    rows = ROWS // 10
    terminal = Producer({"bootstrap.servers": settings.kafka, "transactional.id": "terminals"})
    terminal.init_transactions(30)
    given_up = range(rows, rows + 50)
    for numbers in (range(rows), given_up, range(rows, rows + 9)):
        terminal.begin_transaction()
        for n in numbers:
            terminal.produce(topic, b"no object" if n % BAD == 0 else told_by_terminal(n), str(n))
        terminal.abort_transaction(30) if numbers is given_up else terminal.commit_transaction(30)
    for place in ("in the transaction", "between producing and settling"):
        assert shop.run(DIES[place])[0] == -signal.SIGKILL, place
    assert 0 < shop.sent().total() < rows

    code, told = shop.run()

    assert code == 0, told
    assert shop.sent() == Counter(f"R{n}" for n in range(rows + 9) if n % BAD)
    assert shop.refused() == Counter({b"no object": len(range(0, rows + 9, BAD))})
    assert shop.run()[0] == 0
    assert shop.sent().total() == len([n for n in range(rows + 9) if n % BAD]), "nothing is sent again"


def told_by_terminal(number: int) -> bytes:
    values = (number, f"c{number % 7}", 1250, "2024-01-15T10:30:00Z", "France")
    return json.dumps(dict(zip(COLUMNS, values, strict=True))).encode()


def test_its_asset_sends_what_is_new(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "shop-1.csv", range(22))
    for name, value in shop.environment.items():
        if name.startswith("BDP_"):
            monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    [asset] = source_assets()
    try:
        told = [dg.materialize([asset]).asset_materializations_for_node("ingest_shop")[0] for _ in range(2)]
    finally:
        get_settings.cache_clear()
    figures = [{name: value.value for name, value in one.metadata.items()} for one in told]
    assert figures == [
        {"read": 22, "sent": 20, "labels sent": 1, "rejected": {"out_of_range amount": 2}},
        {"read": 0, "sent": 0, "labels sent": 0, "rejected": {}},
    ]
    assert shop.sent().total() == 20


def test_following_takes_what_comes_and_ends_when_told(shop: Shop, tmp_path: Path) -> None:
    fill(tmp_path, "shop-1.csv", range(1, 3))
    with shop.following() as process:
        until(lambda: shop.sent() == Counter(["R1", "R2"]))
        with (tmp_path / "sources" / "shop-1.csv").open("a") as file:
            file.write(line(3) + line(4)[:9])
        fill(tmp_path, "shop-2.csv", range(5, 6))
        until(lambda: shop.sent() == Counter(["R1", "R2", "R3", "R5"]))
        process.terminate()
        told, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "sent" in told
