"""A customer in every store is erased by a command that is killed and run again: nothing is found of him."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bdp_assets.clients.kafka import topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import connect as connect_warehouse
from bdp_assets.clients.registry import SNAPSHOT_ERASED, Registry
from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.erasure import CUSTOMER_ERASED
from bdp_assets.contracts.topics import DLQ, ENRICHED, LABELS, PREDICTIONS, RAW
from bdp_assets.ingest.landing import TopicRange, land
from bdp_assets.operations import migrations
from bdp_assets.operations.dead_letters.entries import Entry, entries_of
from bdp_assets.operations.dead_letters.fixes import Fixes
from bdp_assets.operations.dead_letters.replay import Choice, rehearse
from bdp_assets.operations.erasure import erasure
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.operations.erasure.warehouse import PSEUDONYM
from bdp_assets.operations.lists.changes import publish_lists
from bdp_assets.operations.rebuild_store import rebuild_store
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.settings import Settings
from bdp_assets.streaming.analytics import tables as window_tables
from bdp_assets_tests.fakes.messages import PAN_KEY, body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.erasure.everywhere import (
    DAYS,
    OTHER,
    START,
    VICTIM,
    enriched,
    everything,
    examples,
    fill,
    label,
)
from bdp_assets_tests.integration.stream import Stream, until

pytestmark = [pytest.mark.services, pytest.mark.drill]
NOT_ROWS = ("store: bdp:lists", "bdp: statistics")
HIS = re.compile(re.escape(VICTIM) + r"(?!\d)")


@pytest.fixture
def stream(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    """Both customers everywhere, and a champion."""
    tiny_bundle(tmp_path / "models" / "tiny")
    (tmp_path / "models" / "champion").symlink_to("tiny")
    monkeypatch.chdir(tmp_path)  # MLflow writes what it is given beside its database
    migrations.upgrade(platform.settings)
    stream = Stream(platform, tmp_path)
    own = {"postgres_url": platform.postgres, "mlflow_uri": f"sqlite:///{tmp_path}/mlflow.db"}
    stream.settings = stream.settings.model_copy(update=own)
    fill(stream.settings)
    yield stream
    migrations.downgrade(platform.settings, "base")
    with connect_warehouse(platform.settings, "dagster") as connection:
        connection.execute("DROP TABLE erasure_events")


def found(stores: dict[str, str]) -> list[str]:
    return sorted(place for place, text in stores.items() if HIS.search(place) or HIS.search(text))


def others_rows(settings: Settings) -> dict[str, list[str]]:
    """What each table of the lake says of the other customer, and each line elsewhere that does.

    Of texts that are about both, see below.
    """
    lake = Lake.of(settings)
    names = [path.name for path in Path(settings.lake).iterdir() if path.name != "erased"]
    rows = {name: sorted(str(row) for row in lake.read(name).to_dicts()) for name in names}
    for place, text in everything(settings).items():
        if not place.startswith("lake") and "erasure_events" not in place and place not in NOT_ROWS:
            rows[place] = text.splitlines()
    kept = {place: [row for row in lines if OTHER in row] for place, lines in rows.items()}
    return {place: lines for place, lines in kept.items() if lines}


def command(settings: Settings, platform: Platform) -> subprocess.Popen[str]:
    variables = {
        "BDP_HOME": str(settings.home),
        "BDP_REDIS_URL": settings.redis,
        "BDP_POSTGRES_URL": platform.postgres,
        "BDP_MLFLOW_URI": settings.mlflow,
        "BDP_PAN_HASH_KEY": PAN_KEY.decode(),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "bdp_assets.cli.main", "erase", "--customer", VICTIM, "--yes"],
        env={**platform.environment, **variables, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def raw_range(settings: Settings) -> list[TopicRange]:
    ids = topic_ids(settings, [RAW.name])
    marks = watermarks(settings, [RAW.name])
    return [TopicRange(RAW.name, ids[RAW.name], p, low, end, low) for (_, p), (low, end) in marks.items()]


def test_after_an_erasure_no_store_knows_the_customer(stream: Stream, platform: Platform) -> None:
    settings = stream.settings
    stream.send(
        [(VICTIM, body("late", VICTIM)), (OTHER, body("late", OTHER)), (VICTIM, f"{VICTIM},x".encode())]
    )
    customer, before = Customer.of(settings, VICTIM), others_rows(settings)
    full = everything(settings)
    assert {place.partition(":")[0] for place in found(full)} > {
        "lake",
        "store",
        "dagster.public.erasure_events",
    }
    assert examples(settings) == [[[3.0, 1.0], [1.0, 2.0]]] * 2
    there = erasure.look(settings, customer)
    assert everything(settings) == full, "to look changes nothing"
    assert set(there.lake) == {path.name for path in Path(settings.lake).iterdir()}
    assert (there.models, there.list_entries, there.last_erased) == (["1"], 1, None)
    assert there.warehouse["transactions"] == DAYS
    [raw] = [topic for topic in there.topics if topic.topic == RAW.name]
    assert raw.ends is not None

    killed = command(settings, platform)
    assert killed.stderr is not None
    for line in killed.stderr:
        if "lake.enriched" in line:
            killed.send_signal(signal.SIGKILL)
            break
    assert killed.wait(60) == -signal.SIGKILL, "it ended by itself, with what it told last"
    assert found(everything(settings)), "it was killed in the middle"

    again = command(settings, platform)
    told, complaints = again.communicate(timeout=120)
    assert again.returncode == 0, complaints
    assert not HIS.search(told + complaints)
    assert f"{raw.ends:%Y-%m-%d}" in told

    assert found(everything(settings)) == []
    assert others_rows(settings) == before
    _the_rest_is_in_order(settings, customer)
    _and_stays_so(stream)


def _the_rest_is_in_order(settings: Settings, customer: Customer) -> None:
    marked, unmarked = sorted(Registry.of(settings).versions(), key=lambda model: model.version)
    assert "removed from enriched, features, labels" in marked.tags[SNAPSHOT_ERASED]
    assert SNAPSHOT_ERASED not in unmarked.tags
    assert examples(settings) == [[[1.0, 1.0], [3.0, 2.0]]] * 2
    with connect_warehouse(settings) as connection:

        def one(query: str) -> list[object]:
            return list(connection.execute(query).fetchall()[0])  # type: ignore[arg-type]

        # Facts are counted as before, under one name, and belong together.
        joined = (
            "warehouse.transactions JOIN warehouse.decisions USING (customer_id, transaction_id, occurred_at)"
        )
        is_his = "starts_with(customer_id, 'erased-')"
        assert one(f"SELECT count(*), count(DISTINCT customer_id) FROM {joined} WHERE {is_his}") == [DAYS, 1]  # noqa: S608
        states = "warehouse.adjustment_states"
        assert one(f"SELECT count(*) FROM {states} WHERE NOT original_unknown AND {is_his}") == [DAYS]  # noqa: S608
        assert one("SELECT sum(transactions) FROM warehouse.daily_figures") == [2 * DAYS]
        assert one("SELECT count(*) FROM warehouse.list_changes WHERE reason = '(erased)'") == [2]
        audit = (
            "SELECT count(*), min(step), max(customer_hash) FROM warehouse.erasures WHERE step = 'complete'"
        )
        assert one(audit) == [1, "complete", customer.hashed]
        counted = window_tables.pseudonymous(connection, PSEUDONYM)
        assert counted.select("ts_ms", "country").rows() == [(START.timestamp() * 1000, "US")]
    assert [entry.id for entry in publish_lists(settings).entries] == [OTHER]
    events = everything(settings)["dagster.public.erasure_events"]
    assert (events.count("(erased)"), events.count(OTHER)) == (4, 2)


def _and_stays_so(stream: Stream) -> None:
    """Neither topics, another load nor a rebuild bring anything back; another erasure finds nothing."""
    settings = stream.settings
    lake = Lake.of(settings)
    landed = land(settings, lake, raw_range(settings))
    assert (len(landed.rows), len(landed.failures)) == (3, 0)
    late = lake.read("raw").filter(value=body("late", OTHER).decode())
    assert len(late) == 1
    load(settings, lake, START.date(), START.date())
    stream.send([(who, encode(enriched(who, DAYS))) for who in (VICTIM, OTHER)], ENRICHED)
    stream.send([(who, encode(label(who, DAYS))) for who in (VICTIM, OTHER)], LABELS)
    rebuild_store(settings, lake, lag_s=0)
    assert len(stream.store.client.keys(f"*{OTHER}}}:e")) == 1
    assert found(everything(settings)) == []
    _and_the_stream_refuses(stream)
    assert [step for step, things in erasure.erase(settings, Customer.of(settings, VICTIM)) if things] == []


def _and_the_stream_refuses(stream: Stream) -> None:
    """What waited on the raw topic, and labels; of a dead letter nothing is kept or sent again."""
    with stream.worker(), stream.worker(kind="labels"):
        until(lambda: sum(not entry.letter.value_base64 for entry in letters(stream)) == 3)
        until(lambda: len(stream.records(PREDICTIONS.name)) == 1)
    assert {entry.letter.error for entry in letters(stream)} == {CUSTOMER_ERASED}
    replayed = rehearse(stream.settings, Choice(), Fixes())
    assert ([kept.error for kept in replayed.kept], replayed.sent) == ([CUSTOMER_ERASED] * 3, [])
    assert found(everything(stream.settings)) == []


def letters(stream: Stream) -> list[Entry]:
    return list(entries_of(stream.records(DLQ.name)))
