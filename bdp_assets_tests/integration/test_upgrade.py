"""What an older version left is upgraded on real services: data still there, features served bit for bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.kafka import admin, topic_names
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import engine
from bdp_assets.clients.redis import run, scan
from bdp_assets.contracts.columns import LABELS
from bdp_assets.contracts.topics import ADJUSTMENTS, TOPICS
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.features.layout import FORMAT
from bdp_assets.features.online import OnlineStore
from bdp_assets.ingest.tables import DOOR
from bdp_assets.operations import migrations
from bdp_assets.settings import get_settings
from bdp_assets_tests.fakes.messages import NOW_MS, body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.rebuilding import land_all
from bdp_assets_tests.integration.stream import Stream, until

pytestmark = pytest.mark.services

OLDER = "0009"
CUSTOMERS = 5
LISTED = """
    INSERT INTO warehouse.list_changes (action, entry_id, list, kind, id, reason, changed_by)
    VALUES ('add', 'e-1', 'block', 'customer', 'c-1', 'kept', 'a test')
"""


@pytest.fixture
def stream(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    """A platform of which the command knows by its variables."""
    tiny_bundle(tmp_path / "models" / "tiny")
    (tmp_path / "models" / "champion").symlink_to("tiny")
    stream = Stream(platform, tmp_path)
    stream.settings = stream.settings.model_copy(update={"postgres_url": platform.postgres})
    monkeypatch.setenv("BDP_POSTGRES_URL", platform.postgres)
    for name, value in stream._environment.items():
        if name.startswith("BDP_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield stream
    get_settings.cache_clear()
    migrations.downgrade(platform.settings, "base")


@pytest.mark.drill
def test_an_older_state_is_brought_here_with_its_data(stream: Stream) -> None:
    served = _with_a_past(stream)
    _make_old(stream)
    assert _vectors(stream.store) != served
    assert _verdicts("--check") == (3, ["due", "due", "due", "due", "current"])
    assert _verdicts("--check") == (3, ["due", "due", "due", "due", "current"]), "a look changes nothing"

    assert _verdicts() == (0, ["current"] * 5)

    assert _vectors(stream.store) == served
    assert migrations.revisions(stream.settings).up_to_date
    with engine(stream.settings).connect() as connection:
        assert connection.execute(text("SELECT reason FROM warehouse.list_changes")).scalar_one() == "kept"
    labels = Lake.of(stream.settings).read("labels")
    assert labels["transaction_id"].to_list() == ["t-old"]
    assert labels[DOOR].to_list() == [None]
    assert set(TOPICS) <= topic_names(stream.settings)
    assert _verdicts() == (0, ["current"] * 5)


def test_what_a_newer_version_wrote_is_left_alone(stream: Stream) -> None:
    migrations.upgrade(stream.settings)
    with engine(stream.settings).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        stream.store.client.rename(stream.store._first.live, f"bdp:features:{FORMAT + 1}.abc:live")
        assert _verdicts("--check") == (1, ["newer", "current", "absent", "newer", "current"])
        done = CliRunner().invoke(app, ["upgrade"])
        assert done.exit_code == 1
        assert "nothing was changed" in str(done.output)
        assert len(list(scan(stream.store.client, "bdp:features:*:live"))) == 1
        with pytest.raises(migrations.WarehouseUnavailable, match="9999, which a newer version"):
            migrations.upgrade(stream.settings)
    finally:
        with engine(stream.settings).begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :head"), {"head": migrations.newest()}
            )


def _with_a_past(stream: Stream) -> dict[str, bytes]:
    """Transactions by way of the stream, the first half of them in the lake; what is served then."""
    with stream.worker():
        for half in (0, 1):
            numbers = range(40 * half, 40 * (half + 1))
            stream.send(_transaction(number) for number in numbers)
            stream.settle()
            if half == 0:
                land_all(stream, Lake.of(stream.settings))
    return _vectors(stream.store)


def _transaction(number: int) -> tuple[str, bytes]:
    customer = f"c-{number % CUSTOMERS}"
    when = pl.Series([NOW_MS + number * 60_000]).cast(pl.Datetime("ms", "UTC")).dt.to_string("iso:strict")[0]
    return customer, body(f"t-{number}", customer, amount=number + 1, timestamp=when)


def _vectors(store: OnlineStore) -> dict[str, bytes]:
    """Each customer's features for a next transaction, bit for bit."""
    probes = [
        decode_transaction(_transaction(number)[1], received_ms=2 * NOW_MS) for number in range(100, 105)
    ]
    return {probe.customer_id: store.enrich_dry(probe).features.tobytes() for probe in probes}


def _make_old(stream: Stream) -> None:
    """An older warehouse with a row, a topic less, a table with a column less, an older format."""
    settings = stream.settings
    migrations.upgrade(settings, OLDER)
    with engine(settings).begin() as connection:
        connection.execute(text(LISTED))
    kafka = admin(settings)
    kafka.delete_topics([ADJUSTMENTS.name])[ADJUSTMENTS.name].result(10)
    until(lambda: ADJUSTMENTS.name not in topic_names(settings))
    Lake.of(settings).append("labels", _label())
    client = stream.store.client
    for keys in list(scan(client, f"bdp:features:{FORMAT}.*")):
        for key in keys:
            older = key.replace(b":%d." % FORMAT, b":%d." % (FORMAT - 1), 1)
            run(client, [("RENAME", key, older)])


def _label() -> pl.DataFrame:
    """As it was when labels did not say by which door they came."""
    known = {"transaction_id": "t-old", "customer_id": "c-1", "is_fraud": True, "known_at_ms": NOW_MS}
    return pl.DataFrame(
        [known | {"event_date": datetime.fromtimestamp(NOW_MS / 1000, UTC).date()}], schema=LABELS
    )


def _verdicts(*options: str) -> tuple[int, list[str]]:
    """What the command ends with, and says of warehouse, topics, lake, online store and model."""
    done = CliRunner().invoke(app, ["upgrade", "--json", *options])
    shown = json.loads(done.stdout)
    assert [state["name"] for state in shown] == ["warehouse", "topics", "lake", "online store", "model"]
    return done.exit_code, [state["verdict"] for state in shown]
