"""Exactly-once effects of the scoring stream, proved on real Kafka and a real store by disturbing it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from bdp_assets.clients.kafka import GroupReader, TransactionAborted, TransactionalPublisher, topic_ids
from bdp_assets.contracts.codec import decode_alert, decode_prediction, encode
from bdp_assets.contracts.topics import ALERTS, PREDICTIONS, RAW
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.decisions.decider import Decider
from bdp_assets.operations.ledger import read_ledger
from bdp_assets.pan_key import pan_key
from bdp_assets.streaming.groups import SCORING
from bdp_assets.streaming.kill_points import Point
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.messages import body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import SMALL_BATCH, Stream, kill, until

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BDP_HOME with a champion model."""
    home = tmp_path_factory.mktemp("stream")
    tiny_bundle(home / "models" / "tiny")
    (home / "models" / "champion").symlink_to("tiny")
    return home


@pytest.fixture
def stream(platform: Platform, home: Path) -> Stream:
    return Stream(platform, home)


def transactions(count: int, seed: int = 1) -> list[tuple[str, bytes]]:
    """Traffic of 40 customers with broken values, duplicates and conflicts in it."""
    random_ = random.Random(seed)
    values: list[tuple[str, bytes]] = []
    for number in range(count):
        customer = f"c-{random_.randrange(40)}"
        kind = random_.random()
        if kind < 0.05:
            values.append((customer, b"{"))
        elif kind < 0.10 and values:
            values.append(random_.choice(values))
        else:
            # One id in thirty comes twice with another amount: a conflict.
            name = f"t-{number if random_.random() > 0.03 else number // 2}"
            values.append((customer, body(name, customer, amount=random_.randrange(1, 9000))))
    return values


def assert_as_if_undisturbed(stream: Stream) -> None:
    assert stream.published() == stream.undisturbed()
    assert read_ledger(stream.settings).balanced


def test_killed_again_and_again_it_publishes_what_an_undisturbed_worker_does(stream: Stream) -> None:
    stream.send(transactions(2_000))
    random_ = random.Random(7)

    for least in (200, 700, 1_300):
        worker = stream.start()
        until(lambda: stream.done() >= least)  # noqa: B023 - used at once
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(random_.uniform(0, 0.05))
        kill(worker)
    with stream.worker():
        stream.drain()

    assert_as_if_undisturbed(stream)
    grown = [decode_alert(message.value or b"").revision for message in stream.records(ALERTS.name)]
    assert max(grown) > 5, "there was something to grow"


def test_killed_at_every_write_boundary_it_publishes_what_an_undisturbed_worker_does(stream: Stream) -> None:
    stream.send(transactions(20 * SMALL_BATCH))

    for point in Point:
        stream.dies(point)
    with stream.worker():
        stream.drain()

    assert_as_if_undisturbed(stream)


def test_two_workers_share_the_partitions_and_the_one_that_stays_takes_over(stream: Stream) -> None:
    with stream.worker(0):
        with stream.worker(1):
            stream.send(transactions(1_000, seed=1))
            stream.drain()
            until(lambda: '"partitions": 3' in stream.log(1))
            stream.send(transactions(1_500, seed=2))
            until(lambda: stream.done() >= 1_200)
        stream.drain()

    assert_as_if_undisturbed(stream)


def test_a_worker_that_slept_through_its_own_expulsion_changes_nothing(stream: Stream) -> None:
    stream.send(transactions(2_000))

    sleeper = stream.start(0)
    try:
        until(lambda: stream.done() >= 300)
        os.kill(sleeper.pid, signal.SIGSTOP)
        with stream.worker(1):
            stream.drain()
            os.kill(sleeper.pid, signal.SIGCONT)
            stream.send(transactions(500, seed=3))
            stream.drain()
    finally:
        kill(sleeper)

    assert_as_if_undisturbed(stream)


def test_a_batch_that_is_redone_after_an_abort_gives_the_same_bytes(stream: Stream) -> None:
    stream.send(transactions(200))
    topic_id = topic_ids(stream.settings, [RAW.name])[RAW.name]
    decider = Decider.load(stream.settings.models_dir / "champion")
    alerts = Alerts(stream.store.client)
    scoring = Scoring(
        stream.store, decider, lambda: topic_id, alerts=alerts, pan_key=pan_key(stream.settings)
    )
    publisher = TransactionalPublisher(stream.settings, f"{SCORING}-0")
    batch: list = []  # type: ignore[type-arg]
    with stream.reader() as reader:
        until(lambda: batch.extend(reader.poll(500, 0.5, 0.5)) or len(batch) == 200)
    first = scoring(batch)
    publisher.begin()
    for topic, key, value, headers in first:
        publisher.send(topic, key=key, value=value, headers=headers)
    publisher.abort()

    with stream.worker():
        stream.drain()

    assert sorted(stream.published()) == sorted(first)
    assert_as_if_undisturbed(stream)


def test_a_commit_with_the_membership_of_an_expelled_member_is_refused(stream: Stream) -> None:
    stream.send([("c-1", body())])
    publisher = TransactionalPublisher(stream.settings, f"{SCORING}-0")
    expelled = [GroupReader(stream.settings, SCORING, [RAW.name], slot=0)]
    try:
        until(lambda: expelled[0].poll(10, 0.1, 0.5))
        before = expelled[0].membership()
        with stream.reader() as successor:  # takes the slot over
            until(lambda: successor.poll(10, 0.1, 0.5))

            publisher.begin()
            with pytest.raises(TransactionAborted):
                publisher.commit([(RAW.name, 0, 1)], before)

            publisher.abort()
    finally:
        expelled.clear()  # freed, not closed: one that was not told yet that it is out waits for ever


def test_a_decision_of_the_api_is_published_unchanged(stream: Stream) -> None:
    value = body("by-api", "c-api", amount=20)
    transaction = decode_transaction(value, received_ms=2_000_000_000_000)
    (claim,) = stream.store.enrich([transaction], [None])
    decider = Decider.load(stream.settings.models_dir / "champion")
    (decision,) = decider.decide_many(
        [transaction], claim.features[None, :], [claim.apply_seq], decided_by="api", decided_at_ms=12345
    )
    stream.store.save_decision(transaction, encode(decision))
    stream.send([("c-api", value), ("c-api", body("by-stream", "c-api"))])

    with stream.worker():
        stream.drain()

    published = [m.value for m in stream.records(PREDICTIONS.name)]
    assert published[0] == encode(decision)
    assert [decode_prediction(value or b"").apply_seq for value in published] == [1, 2]


def test_an_attack_is_one_alert_whoever_decides_and_whoever_dies(stream: Stream) -> None:
    """A hundred transactions of one customer, the fifth decided by the API; the worker is killed midway."""
    attack = [body(f"t-{number}", "c-attacked", amount=6_000) for number in range(100)]
    transaction = decode_transaction(attack[4], received_ms=2_000_000_000_000)
    for value in attack[:4]:
        stream.store.enrich([decode_transaction(value, received_ms=2_000_000_000_000)], [None])
    (claim,) = stream.store.enrich([transaction], [None])
    decider = Decider.load(stream.settings.models_dir / "champion")
    (decision,) = decider.decide_many(
        [transaction], claim.features[None, :], [claim.apply_seq], decided_by="api", decided_at_ms=12345
    )
    stream.store.save_decision(transaction, encode(decision))
    stream.send(("c-attacked", value) for value in attack)

    worker = stream.start()
    until(lambda: stream.done() >= 50)
    kill(worker)
    with stream.worker():
        stream.drain()

    alerts = [decode_alert(message.value or b"") for message in stream.records(ALERTS.name)]
    assert len({alert.alert_id for alert in alerts}) == 1
    assert [alert.revision for alert in alerts] == list(range(1, 101))
    assert [alert.transaction_id for alert in alerts] == [f"t-{number}" for number in range(100)]
    assert [alert.amount_at_risk_minor for alert in alerts] == [600_000 * n for n in range(1, 101)]
    assert alerts[0].notify
    assert read_ledger(stream.settings).balanced
