"""Windowed analytics on real Kafka and PostgreSQL, disturbed, and compared with the lake counted anew."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.kafka import topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import Warehouse, connect
from bdp_assets.contracts.codec import decode_window_aggregate, encode
from bdp_assets.contracts.records import Label, WindowAggregate
from bdp_assets.contracts.topics import ANALYTICS, LABELS, VALIDATED, Topic
from bdp_assets.defs.serving import analytics as assets
from bdp_assets.features.times import HOUR, MINUTE
from bdp_assets.ingest.landing import TopicRange, land
from bdp_assets.operations import migrations
from bdp_assets.operations.ledger import read_ledger
from bdp_assets.operations.window_check import Comparison, compare, differences, recount
from bdp_assets.pan_key import pan_key
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import Settings
from bdp_assets.streaming import groups
from bdp_assets.streaming.analytics import tables
from bdp_assets.streaming.analytics.catalog import WINDOWS
from bdp_assets.streaming.analytics.figures import GROUP, sums
from bdp_assets.streaming.analytics.process import Analytics
from bdp_assets_tests.fakes.messages import NOW_MS, body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import PATIENCE_S, Stream, kill, until

pytestmark = pytest.mark.services

KIND = "analytics"
DAY_MS = 24 * HOUR


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("analytics")
    tiny_bundle(home / "models" / "tiny")
    (home / "models" / "champion").symlink_to("tiny")
    return home


@pytest.fixture
def stream(platform: Platform, home: Path) -> Iterator[Stream]:
    """The stream with an empty warehouse."""
    stream = Stream(platform, home)
    stream.settings = stream.settings.model_copy(update={"postgres_url": platform.postgres})
    stream._environment["BDP_POSTGRES_URL"] = platform.postgres
    migrations.upgrade(stream.settings)
    yield stream
    migrations.downgrade(stream.settings, "base")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


def traffic(count: int, seed: int, after_ms: int = 0) -> list[tuple[str, bytes]]:
    """Transactions of some hours with late ones, duplicates and conflicts among them."""
    random_ = random.Random(seed)
    values: list[tuple[str, bytes]] = []
    for number in range(count):
        customer = f"c-{random_.randrange(40)}"
        if random_.random() < 0.05 and values:
            values.append(random_.choice(values))
            continue
        late_ms = random_.choice([0, 0, 0, 0, MINUTE, 3 * MINUTE, HOUR, 3 * HOUR])
        moment_ms = NOW_MS - DAY_MS + after_ms + number * 8 * HOUR // count - late_ms
        name = f"t-{seed}-{number if random_.random() > 0.03 else number // 2}"
        fields = {
            "amount": random_.choice([5, 99.99, 999.99, 1000, 2500]),
            "timestamp": datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(),
            "merchant_category": random_.choice(["grocery", "travel", None]),
            "country": random_.choice(["US", "DE"]),
            "channel": random_.choice(["online", "pos"]),
        }
        values.append((customer, body(name, customer, **fields)))
    return values


def validate(stream: Stream, values: list[tuple[str, bytes]]) -> None:
    """Through a scoring worker to the validated topic."""
    stream.send(values)
    with stream.scored():
        stream.drain()


def tell(stream: Stream, seed: int) -> None:
    """Label a third of the validated transactions, some twice; and one that nobody knows."""
    import msgspec

    random_ = random.Random(seed)
    labels = [Label(customer_id="c-1", transaction_id="unknown", is_fraud=True, known_at_ms=NOW_MS)]
    for message in stream.records(VALIDATED.name):
        one = msgspec.json.decode(message.value or b"")
        for _ in range(random_.choice([0, 0, 1, 2])):
            labels.append(
                Label(
                    customer_id=one["customer_id"],
                    transaction_id=one["transaction_id"],
                    is_fraud=random_.random() < 0.7,
                    known_at_ms=NOW_MS + random_.randrange(5),
                )
            )
    stream.send(((label.customer_id, encode(label)) for label in labels), LABELS)


def reached(settings: Settings) -> int:
    """Validated messages that the warehouse has counted, or what is left of their offsets."""
    topic_id = topic_ids(settings, [VALIDATED.name])[VALIDATED.name]
    with connect(settings) as connection:
        return int(tables.all_positions(connection, topic_id)["next_offset"].sum())


def last_offsets(stream: Stream) -> int:
    last = {message.partition: message.offset for message in stream.records(VALIDATED.name)}
    return sum(offset + 1 for offset in last.values())


def drain(stream: Stream) -> None:
    """Until the figures' messages are committed, too."""
    goal = last_offsets(stream), sum(end for _, end in watermarks(stream.settings, [LABELS.name]).values())
    until(lambda: (stream.done(groups.ANALYTICS, VALIDATED), stream.done(groups.ANALYTICS, LABELS)) == goal)


def land_all(stream: Stream, lake: Lake, topic: Topic) -> None:
    topic_id = topic_ids(stream.settings, [topic.name])[topic.name]
    marks = watermarks(stream.settings, [topic.name])
    ranges = [TopicRange(name, topic_id, p, low, end, low) for (name, p), (low, end) in marks.items()]
    assert land(stream.settings, lake, ranges).failures.is_empty()


def assert_equal_to_the_lake(stream: Stream, lake: Lake) -> None:
    """Figures and late ones, and what a reader of the topic keeps."""
    drain(stream)
    land_all(stream, lake, VALIDATED)
    land_all(stream, lake, LABELS)
    counted = recount(lake)
    with connect(stream.settings) as connection:
        stored = tables.all_figures(connection)
        late = connection.execute(
            "SELECT customer_id, transaction_id, window_name, start_ms FROM warehouse.window_late"
        ).fetchall()

    assert stored["fraud_count"].sum() > 0
    assert differences(stored, sums(counted.additions)).is_empty()
    late_in_lake = counted.additions.filter("is_late", pl.col("count") > 0)
    assert {window.name for window in WINDOWS} == set(late_in_lake["window_name"])
    columns = ("customer_id", "transaction_id", "window_name", "start_ms")
    assert sorted(late) == sorted(late_in_lake.select(columns).iter_rows())
    assert kept(stream) == {row[:4]: row[4:] for row in stored.iter_rows()}
    assert read_ledger(stream.settings).balanced


def kept(stream: Stream) -> dict[tuple[object, ...], tuple[int, ...]]:
    """The newest of each group's records, in the columns of the table."""
    newest: dict[tuple[object, ...], WindowAggregate] = {}
    for message in stream.records(ANALYTICS.name):
        record = decode_window_aggregate(message.value or b"")
        assert (message.key or b"").decode() == record.group
        place = (record.window, record.start_ms, record.dimension, record.member)
        if place not in newest or record.revision > newest[place].revision:
            newest[place] = record
    measures = [name for name in tables.FIGURES if name not in GROUP]
    return {place: tuple(getattr(one, name) for name in measures) for place, one in newest.items()}


def test_killed_again_and_again_it_counts_what_the_lake_has(stream: Stream, lake: Lake) -> None:
    validate(stream, traffic(1_500, seed=1))
    tell(stream, seed=1)
    total = last_offsets(stream)

    for share in (0.1, 0.4, 0.7):
        process = stream.start(kind=KIND)
        until(lambda: reached(stream.settings) >= share * total)  # noqa: B023 - used at once
        kill(process)
    with stream.worker(kind=KIND):
        assert_equal_to_the_lake(stream, lake)


def test_dead_between_the_warehouse_and_kafka_nothing_is_doubled_and_nobody_is_left_untold(
    stream: Stream, lake: Lake
) -> None:
    validate(stream, traffic(600, seed=2))
    tell(stream, seed=2)
    topic_id = topic_ids(stream.settings, [VALIDATED.name])[VALIDATED.name]
    # A worker that dies after its warehouse transaction has produced nothing and committed no offsets.
    session = Warehouse(stream.settings)
    messages = [*stream.records(LABELS.name)[:100], *stream.records(VALIDATED.name)[:400]]
    Analytics(session, lambda: topic_id, pan_key=pan_key(stream.settings))(messages)
    session.close()
    assert not stream.records(ANALYTICS.name)

    with stream.worker(kind=KIND):
        assert_equal_to_the_lake(stream, lake)


def test_a_warehouse_that_breaks_off_has_the_batch_redone(stream: Stream, lake: Lake) -> None:
    validate(stream, traffic(1_000, seed=11))
    tell(stream, seed=11)
    total = last_offsets(stream)

    with stream.worker(kind=KIND):
        for share in (0.1, 0.3, 0.5, 0.7):
            until(lambda: reached(stream.settings) >= share * total)  # noqa: B023 - used at once
            with connect(stream.settings) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'bdp' AND pid <> pg_backend_pid()"
                )
        assert_equal_to_the_lake(stream, lake)
    assert "warehouse_unavailable" in stream.log(kind=KIND)


def test_two_workers_share_the_work_and_the_one_that_stays_takes_over(stream: Stream, lake: Lake) -> None:
    validate(stream, traffic(800, seed=3))
    with stream.worker(0, KIND):
        with stream.worker(1, KIND):
            tell(stream, seed=3)
            drain(stream)
            until(lambda: '"partitions": 6' in stream.log(1, KIND))
            validate(stream, traffic(800, seed=4, after_ms=8 * HOUR))
        assert_equal_to_the_lake(stream, lake)


def test_a_worker_that_slept_through_its_own_expulsion_changes_nothing(stream: Stream, lake: Lake) -> None:
    validate(stream, traffic(1_000, seed=5))
    tell(stream, seed=5)
    total = last_offsets(stream)

    sleeper = stream.start(0, KIND)
    try:
        until(lambda: reached(stream.settings) >= 0.2 * total)
        os.kill(sleeper.pid, signal.SIGSTOP)
        with stream.worker(1, KIND):
            drain(stream)
            os.kill(sleeper.pid, signal.SIGCONT)
            validate(stream, traffic(300, seed=6, after_ms=8 * HOUR))
            assert_equal_to_the_lake(stream, lake)
    finally:
        kill(sleeper)


def test_a_crew_of_two_counts_and_is_drained_as_one(stream: Stream, lake: Lake) -> None:
    validate(stream, traffic(600, seed=10))
    tell(stream, seed=10)
    command = [sys.executable, "-m", "bdp_assets.cli.main", "stream", KIND, "--workers", "2"]
    with (stream.home / "crew.log").open("wb") as log:
        crew = subprocess.Popen(command, env=stream._environment, stderr=log, stdout=log)
    try:
        assert_equal_to_the_lake(stream, lake)
        crew.terminate()
        assert crew.wait(PATIENCE_S) == 0
    finally:
        crew.kill()
        crew.wait()
    written = (stream.home / "crew.log").read_text()
    assert written.count("analytics worker runs") == written.count("analytics worker left the group") == 2


def test_the_check_compares_what_both_sides_have_finished(
    stream: Stream, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate(stream, traffic(500, seed=8))
    with stream.worker(kind=KIND):
        drain(stream)
        land_all(stream, lake, VALIDATED)
        validate(stream, traffic(500, seed=9, after_ms=8 * HOUR))
        tell(stream, seed=9)
        drain(stream)

    behind = compare(stream.settings, lake)
    assert_sound(behind)
    assert behind.labels_apart > 0, "the lake has no labels yet"
    assert NOW_MS - DAY_MS + 7 * HOUR < behind.until_ms < NOW_MS - DAY_MS + 8 * HOUR

    lake_now = Lake(f"{lake.url}/now")
    land_all(stream, lake_now, VALIDATED)
    land_all(stream, lake_now, LABELS)
    level = compare(stream.settings, lake_now)
    assert_sound(level)
    assert level.labels_apart == 0
    assert level.windows > behind.windows
    assert dagster_says(stream, lake_now, monkeypatch) == (True, level.windows)

    with connect(stream.settings) as connection:
        connection.execute(
            "UPDATE warehouse.window_figures SET fraud_count = fraud_count + 1 WHERE start_ms = "
            "(SELECT min(start_ms) FROM warehouse.window_figures)"
        )
        (wrong,) = connection.execute(
            "SELECT count(*) FROM warehouse.window_figures WHERE start_ms = "
            "(SELECT min(start_ms) FROM warehouse.window_figures)"
        ).fetchone() or (0,)
    assert len(compare(stream.settings, lake_now).wrong) == wrong > 0
    assert dagster_says(stream, lake_now, monkeypatch) == (False, level.windows)
    assert compare(stream.settings, lake).wrong.is_empty(), "frauds are not compared without the labels"


def dagster_says(stream: Stream, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, int]:
    """Verdict of the asset check, and how many windows it compared; nothing is old here."""
    monkeypatch.setattr(assets, "get_settings", lambda: stream.settings)
    monkeypatch.setattr(LakeResource, "open", lambda _: lake)
    done = dg.materialize(
        [assets.window_figures, assets.window_figures_equal_lake], resources={"lake": LakeResource()}
    )
    (event,) = done.get_asset_materialization_events()
    assert event.materialization.metadata["forgotten in window_figures"].value == 0
    (verdict,) = done.get_asset_check_evaluations()
    return verdict.passed, int(verdict.metadata["compared"].value)  # type: ignore[arg-type]


def assert_sound(found: Comparison) -> None:
    assert found.wrong.is_empty()
    assert found.windows > 100
