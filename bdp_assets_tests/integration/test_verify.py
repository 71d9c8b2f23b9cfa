"""`bdp verify` on live topics, lake and store: it believes a true platform, and none with a planted fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from click.testing import Result

from bdp_assets.clients.kafka import Message, TransactionalPublisher, topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import session
from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.records import Adjustment, AdjustmentType, Decision
from bdp_assets.contracts.topics import ADJUSTMENTS, ALERTS, LABELS, PREDICTIONS
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.landing import DESTINATIONS, land
from bdp_assets.ingest.offsets import due_ranges, landed_offsets
from bdp_assets.ingest.tables import TABLES
from bdp_assets.monitoring.quality.findings import Check
from bdp_assets.operations import migrations
from bdp_assets.operations.quality.examination import examine
from bdp_assets.operations.rebuild_store import rebuild_store
from bdp_assets.operations.traffic_journal import Answer, Journal, Outgoing, new_journal
from bdp_assets.operations.traffic_labels import label_of
from bdp_assets.operations.verify.lag import read_lag
from bdp_assets.operations.verify.store import probe
from bdp_assets.operations.verify.verification import Verification, verify
from bdp_assets.streaming import groups
from bdp_assets_tests.fakes.messages import NOW_MS, body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import Stream, until

pytestmark = pytest.mark.services

MINUTES = 57
"""Of an hour with a transaction each minute, what ended, with its grace, before the last one; longer windows
had not."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("verify")
    tiny_bundle(home / "models" / "tiny")
    (home / "models" / "champion").symlink_to("tiny")
    return home


class Played:
    """A stream with traffic, labels and a journal, all of it landed."""

    def __init__(self, stream: Stream, lake: str) -> None:
        self.stream = stream
        self.settings = stream.settings.model_copy(update={"lake_url": lake})
        self.lake = Lake(lake)
        self.records = [_record(number) for number in range(60)]
        with new_journal(stream.home) as file:
            journal = Journal(file)
            for record in self.records:
                journal.delivered(record, 1)
        self.journal = journal.path
        values = [(record.customer_id, record.value) for record in self.records]
        with stream.worker(), stream.worker(kind="labels"), stream.worker(kind="analytics"):
            stream.send([*values, values[3], ("c-1", b"{")])
            stream.drain()
            labels = [label_of(record, NOW_MS + 60_000) for record in self.records[:5]]
            stream.send([(label.customer_id, encode(label)) for label in labels], LABELS)
            stream.drain(group=groups.LABELS, topic=LABELS)
            until(lambda: not read_lag(self.settings)[groups.ANALYTICS])
        refund = Adjustment(
            adjustment_id="r-1",
            type=AdjustmentType.REFUND,
            customer_id=self.records[0].customer_id,
            original_transaction_id="t-0",
            ts_ms=NOW_MS,
        )
        stream.send([(refund.customer_id, encode(refund))], ADJUSTMENTS)
        self.land()

    def land(self) -> None:
        marks = watermarks(self.settings, list(DESTINATIONS))
        ids = topic_ids(self.settings, list(DESTINATIONS))
        due = due_ranges(marks, ids, landed_offsets(self.lake, marks, ids))
        for topic in DESTINATIONS:
            if ranges := [cut for cut in due if cut.topic == topic]:
                assert land(self.settings, self.lake, ranges).failures.is_empty()

    def verify(self) -> Verification:
        return verify(self.settings, read_lag(self.settings))

    def broken(self) -> list[str]:
        return self.verify().broken

    def forge(self, message: Message, value: bytes | None = None) -> None:
        """A record as a worker would publish it that does not know of its predecessor."""
        publisher = TransactionalPublisher(self.settings, "forger")
        publisher.begin()
        publisher.send(
            message.topic, key=message.key, value=value or message.value or b"", headers=message.headers
        )
        publisher._producer.commit_transaction(5)


@pytest.fixture(scope="module")
def played(platform: Platform, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Shared: what a test breaks, it mends. The last two tests leave the topics broken."""
    stream = Stream(platform, home)
    stream.settings = stream.settings.model_copy(update={"postgres_url": platform.postgres})
    stream._environment["BDP_POSTGRES_URL"] = platform.postgres
    migrations.upgrade(stream.settings)
    yield Played(stream, str(tmp_path_factory.mktemp("lake") / "lake"))
    migrations.downgrade(stream.settings, "base")


@pytest.fixture
def journal(played: Played) -> Iterator[Journal]:
    """The play's journal, to add to for a test's time."""
    before = played.journal.read_text()
    with played.journal.open("a", buffering=1) as file:
        yield Journal(file)
    played.journal.write_text(before)


def _record(number: int) -> Outgoing:
    place = {"merchant_id": f"m-{number % 3}", "device_id": f"d-{number % 4}", "country": "DE"}
    ids = (f"t-{number}", f"c-{number % 7}")
    second = f"2025-12-31T23:{number:02d}:00Z"
    return Outgoing(*ids, body(*ids, timestamp=second, amount=number + 1.5, **place), "genuine")


def test_what_the_stream_left_in_the_lake_has_no_defect_of_quality(played: Played) -> None:
    """Days of the events and of their messages; each row that refers to another is asked for it."""
    tables = ("raw", "validated", "labels")
    days = {day for table in tables for day in played.lake.read(table)["event_date"]}
    examined = [examine(played.lake, day, day, datetime.now(UTC) + timedelta(days=1)) for day in days]
    found = [finding for examination in examined for finding in examination.findings]
    assert [finding for finding in found if finding.passed is False] == []
    asked = {finding.table for finding in found if finding.check is Check.REFERENCES and finding.passed}
    assert asked >= {"validated", "enriched", "predictions", "labels", "adjustments"}


def test_what_is_true_is_believed_and_all_of_it_is_compared(played: Played) -> None:
    found = played.verify()

    assert not found.broken
    assert found.drained, found.lag
    assert found.notes["load driver"].startswith("60 delivered, 0 answered")
    assert found.notes["online store"] == "21 answers compared"
    assert f"{60 * len(CATALOG.names):,} values of the lake compared" in found.notes["features"]
    assert found.notes["windows"] == f"{MINUTES} figures of finished windows compared"
    rows = {one.says.rpartition(" ")[2]: one.right for one in found.groups["lake"]}
    assert (rows["raw"], rows["enriched"], rows["quarantined"], rows["labels"]) == (62, 60, 2, 5)
    assert rows["adjustments"] == 1


def test_a_promise_that_is_not_kept_is_noticed(played: Played, journal: Journal) -> None:
    prediction = decode_prediction(played.stream.records(PREDICTIONS.name)[0].value or b"")
    record = next(one for one in played.records if one.transaction_id == prediction.transaction_id)
    other = next(decision for decision in Decision if decision is not prediction.decision)

    journal.answered(record, 2, Answer(200, prediction.decision))
    assert not played.broken()
    journal.answered(record, 2, Answer(200, other))
    assert played.broken() == ["answered by the API, decided otherwise = 0"]
    journal.answered(record._replace(transaction_id="never-arrived"), 2, Answer(200, other))
    assert "answered by the API, no prediction = 0" in played.broken()
    journal.delivered(record._replace(transaction_id="lost"), 3)
    assert "delivered to Kafka, no prediction = 0" in played.broken()


def test_a_row_too_few_or_too_many_in_the_lake_is_noticed(played: Played) -> None:
    enriched = played.lake.read("enriched")
    played.lake.replace("enriched", enriched[1:], "true")
    assert "transactions-enriched-v1, landed = rows of enriched" in played.broken()
    played.lake.replace("enriched", enriched, "true")
    assert not played.broken()
    alerts = played.lake.read("alerts")
    played.lake.append("alerts", _alert())
    assert "fraud-alerts-v1, landed = rows of alerts" in played.broken()
    played.lake.replace("alerts", alerts, "true")


def _alert() -> pl.DataFrame:
    row = dict.fromkeys(TABLES["alerts"]) | {"event_date": pl.Series([0]).cast(pl.Date)[0]}
    return pl.DataFrame([row], TABLES["alerts"])


@pytest.mark.parametrize("what", ["customer:c-0}:c", "customer:c-0}:*", "merchant:*:t*"])
def test_a_store_that_forgot_something_is_noticed(played: Played, what: str) -> None:
    client, layout = played.stream.store.client, played.stream.store.layout
    held = {key: client.dump(key) for key in client.scan_iter(f"{layout.root}{layout.generation}:{{{what}")}
    client.delete(*held)
    try:
        assert played.broken() == ["answers of the store that tables contradict = 0"]
    finally:
        for key, value in held.items():
            client.restore(key, 0, value)


def test_a_feature_that_nothing_explains_is_noticed(played: Played) -> None:
    enriched = played.lake.read("enriched")
    name = CATALOG.names[-1]
    wrong = enriched.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.col(name) + 1).otherwise(pl.col(name)).alias(name)
    )
    played.lake.replace("enriched", wrong, "true")

    assert played.broken() == ["served features without an explanation = 0"]
    played.lake.replace("enriched", enriched, "true")


def test_a_window_figure_that_is_wrong_is_noticed(played: Played) -> None:
    change = "UPDATE warehouse.window_figures SET count = count + %s WHERE window_name = 'tumbling_1m'"
    with session(played.settings) as connection:
        connection.execute(change, [1])
    assert played.broken() == ["window figures that the lake contradicts = 0"]
    with session(played.settings) as connection:
        connection.execute(change, [-1])
    assert not played.broken()


def test_the_command_waits_as_long_as_it_is_told_and_says_all_of_it(played: Played) -> None:
    def run(**changes: str) -> Result:
        return played.stream.bdp("verify", "--json", "--wait", "1", BDP_LAKE_URL=played.lake.url, **changes)

    done = run()
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["holds"], told["drained"], told["broken"]) == (True, True, [])
    assert set(told["proofs"]) == {"load driver", "lake", "features", "online store", "windows"}
    away = run(BDP_REDIS_URL="redis://127.0.0.1:1/0")
    assert (away.exit_code, "online store" in away.stderr) == (2, True)
    away = run(BDP_POSTGRES_URL="postgresql://nobody@127.0.0.1:1/bdp")
    assert (away.exit_code, "PostgreSQL" in away.stderr) == (2, True)
    away = run(BDP_KAFKA_PORT="1")
    assert (away.exit_code, "does not answer" in away.stderr) == (2, True)


def test_what_waits_is_told_and_not_judged(played: Played, journal: Journal) -> None:
    record = _record(59)._replace(transaction_id="waits")
    played.stream.send([(record.customer_id, body("waits", record.customer_id))])
    journal.delivered(record, 3)

    found = played.verify()

    assert found.holds, "it may still come"
    assert (found.lag[groups.SCORING], found.lag["lake"]) == (1, 1)
    assert found.notes["online store"] == "not judged: messages wait (bdp-scoring 1)"

    done = played.stream.bdp("verify", "--wait", "1", BDP_LAKE_URL=played.lake.url)
    assert done.exit_code == 1, "it was told to wait for what nobody takes"
    assert "Not drained" in done.stdout


def test_a_doubled_and_an_orphaned_record_are_noticed(played: Played) -> None:
    prediction = played.stream.records(PREDICTIONS.name)[0]
    played.forge(prediction)
    assert "transactions predicted twice = 0" in played.broken()

    orphan = (prediction.value or b"").replace(b'"transaction_id":"t-', b'"transaction_id":"x-')
    played.forge(msgspec.structs.replace(prediction, topic=ALERTS.name), orphan)
    assert "alerts of unknown transactions = 0" in played.broken()


def test_labels_that_landed_before_their_transactions_are_in_a_rebuilt_store(
    platform: Platform, home: Path, tmp_path: Path
) -> None:
    """Found by `bdp chaos`: the rebuild had left them out, and its position said that they were in."""
    stream, lake = Stream(platform, home), Lake(str(tmp_path / "lake"))
    records = [_record(number) for number in range(40)]
    labels = [label_of(record, NOW_MS + 60_000 + number) for number, record in enumerate(records[:20])]
    with stream.worker(), stream.worker(kind="labels"):
        stream.send((record.customer_id, record.value) for record in records)
        stream.drain()
        stream.send(((label.customer_id, encode(label)) for label in labels), LABELS)
        stream.drain(group=groups.LABELS, topic=LABELS)
    marks, ids = watermarks(stream.settings, [LABELS.name]), topic_ids(stream.settings, [LABELS.name])
    land(stream.settings, lake, due_ranges(marks, ids, {}))

    stream.store.client.flushdb()
    rebuild_store(stream.settings, lake, lag_s=0)

    probed = probe(stream.settings, lake)
    assert (probed.compared, probed.different) == (21, {})


def test_a_fraud_that_no_table_has_is_told_and_not_held_against_the_store(
    platform: Platform, home: Path, tmp_path: Path
) -> None:
    """Found by a reviewer: one label of a transaction that never was, and `bdp verify` said BROKEN."""
    stream, lake = Stream(platform, home), Lake(str(tmp_path / "lake"))
    records = [_record(number) for number in range(40)]
    believed = msgspec.structs.replace(label_of(records[3], NOW_MS + 60_000), transaction_id="never was")
    with stream.worker(), stream.worker(kind="labels"):
        stream.send((record.customer_id, record.value) for record in records)
        stream.drain()
        stream.send([(believed.customer_id, encode(believed))], LABELS)
        stream.drain(group=groups.LABELS, topic=LABELS)

    probed = probe(stream.settings, lake)

    assert (probed.compared, probed.different) == (21, {})
    assert probed.untold == 1
