"""The Kafka client against a real broker: offsets with markers in between, transactions, refusals."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition

from bdp_assets.clients.kafka import (
    DeliveryFailed,
    GroupReader,
    KafkaRefused,
    KafkaUnavailable,
    OffsetsGone,
    ProducerFenced,
    Publisher,
    Receipts,
    TopicSpec,
    TransactionalPublisher,
    admin,
    committed_offsets,
    ensure_topics,
    read_range,
    stream_range,
    topic_ids,
    watermarks,
)
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import until

pytestmark = pytest.mark.services

TOPIC = "client-test"
SPEC = TopicSpec(TOPIC, 2, {"retention.ms": "600000", "max.message.bytes": "1000"})


@pytest.fixture
def settings(platform: Platform) -> Iterator[Settings]:
    """A broker with the topic, empty."""
    client = admin(platform.settings)
    ensure_topics(platform.settings, [SPEC])
    yield platform.settings
    for future in client.delete_topics([TOPIC]).values():
        future.result(10)
    until(lambda: TOPIC not in client.list_topics(timeout=10).topics)


def commit(publisher: TransactionalPublisher, reader: GroupReader, *values: bytes) -> None:
    publisher.begin()
    for value in values:
        publisher.send(TOPIC, key="k", value=value, headers=[("h", b"1")])
    publisher.commit([], reader.membership())


@pytest.fixture
def reader(settings: Settings) -> Iterator[GroupReader]:
    reader = GroupReader(settings, "client-test-group", [TOPIC], slot=0)
    try:
        until(lambda: (reader.poll(1, 0.1, 0.1), reader.membership())[1] is not None)
        yield reader
    finally:
        reader.close()  # left open when something fails, it blocks the exit


def test_topics_are_made_once_and_differences_are_told(settings: Settings) -> None:
    other = TopicSpec(TOPIC, 5, {"retention.ms": "700000"})

    again = ensure_topics(settings, [SPEC])
    different = ensure_topics(settings, [other, TopicSpec("client-test-missing", 1)], create=False)

    assert (again.created, again.differences) == ((), ())
    assert sorted(different.differences) == [
        "client-test has 2 partitions, the contract says 5",
        "client-test has retention.ms=600000, the contract says 700000",
        "client-test-missing is missing",
    ]


def test_a_topic_that_is_made_anew_has_another_id(settings: Settings) -> None:
    before = topic_ids(settings, [TOPIC])
    client = admin(settings)
    client.delete_topics([TOPIC])[TOPIC].result(10)
    until(lambda: TOPIC not in client.list_topics(timeout=10).topics)
    ensure_topics(settings, [SPEC])

    after = topic_ids(settings, [TOPIC])

    assert len(after[TOPIC]) == 22
    assert after != before
    with pytest.raises(KafkaRefused):
        topic_ids(settings, ["client-test-missing"])


def test_a_range_ends_by_position_whatever_lies_at_its_end(settings: Settings, reader: GroupReader) -> None:
    publisher = TransactionalPublisher(settings, "client-test")
    commit(publisher, reader, b"a", b"b")
    publisher.begin()
    publisher.send(TOPIC, key="k", value=b"aborted", headers=[])
    publisher._producer.flush()
    publisher.abort()
    ranges = watermarks(settings, [TOPIC])
    ((topic, partition), (low, end)) = next(item for item in ranges.items() if item[1][1])

    everything = read_range(settings, topic, partition, low, end)
    markers = read_range(settings, topic, partition, 2, end)
    commit(publisher, reader, b"c")
    with_more_behind = read_range(settings, topic, partition, 1, end)

    assert (low, end) == (0, 5), "two records, marker, aborted record, marker"
    assert [m.value for m in everything] == [b"a", b"b"]
    assert (everything[0].key, everything[0].headers) == (b"k", (("h", b"1"),))
    assert markers == []
    assert [m.value for m in with_more_behind] == [b"b"]


def test_an_open_transaction_holds_the_committed_end_back(settings: Settings, reader: GroupReader) -> None:
    publisher = TransactionalPublisher(settings, "client-test")
    commit(publisher, reader, b"a")
    publisher.begin()
    publisher.send(TOPIC, key="k", value=b"open", headers=[])
    publisher._producer.flush()

    committed = watermarks(settings, [TOPIC])
    very_end = watermarks(settings, [TOPIC], committed=False)
    values = [m.value for batch in stream_range(settings, committed) for m in batch]
    publisher.abort()

    assert sum(end for _, end in very_end.values()) - sum(end for _, end in committed.values()) == 1
    assert values == [b"a"]


def test_offsets_that_are_not_there_are_told(settings: Settings) -> None:
    with pytest.raises(OffsetsGone):
        read_range(settings, TOPIC, 0, 50, 60)


def test_what_the_broker_does_not_take_is_raised_by_flush(settings: Settings) -> None:
    publisher = Publisher(settings)
    written: list[bool] = []
    publisher.send(TOPIC, key="k", value=os.urandom(2000), on_delivery=written.append)

    with pytest.raises(DeliveryFailed, match="1 messages were not written"):
        publisher.flush()
    publisher.send(TOPIC, key="k", value=b"x", on_delivery=written.append)
    publisher.flush()

    assert written == [False, True]


def test_a_successor_in_the_slot_fences_its_predecessor(settings: Settings, reader: GroupReader) -> None:
    first = TransactionalPublisher(settings, "client-test")
    first.begin()
    first.send(TOPIC, key="k", value=b"zombie", headers=[])
    second = TransactionalPublisher(settings, "client-test")

    with pytest.raises(ProducerFenced, match="--slot"):
        first.commit([], reader.membership())
    commit(second, reader, b"successor")

    values = [m.value for batch in stream_range(settings, watermarks(settings, [TOPIC])) for m in batch]
    assert values == [b"successor"]


def test_offsets_commit_with_the_records(settings: Settings, reader: GroupReader) -> None:
    publisher = TransactionalPublisher(settings, "client-test")
    publisher.begin()
    publisher.commit([(TOPIC, 1, 42)], reader.membership())

    assert committed_offsets(settings, "client-test-group", [TOPIC]) == {(TOPIC, 1): 42}
    assert committed_offsets(settings, "client-test-nobody", [TOPIC]) == {}


def test_a_receipt_is_there_if_and_only_if_its_transaction_committed(settings: Settings) -> None:
    receipts = Receipts(settings, "client-test-receipts", TOPIC)
    try:
        assert receipts.last() is None
        publisher = TransactionalPublisher(settings, "client-test-receipts")
        publisher.begin()
        publisher.send(TOPIC, key="k", value=b"1", headers=[])
        receipts.commit(publisher, "first")
        assert receipts.last() == "first"

        publisher.begin()
        publisher.send(TOPIC, key="k", value=b"2", headers=[])
        positions = [TopicPartition(TOPIC, 0, 0, "second")]
        publisher._producer.send_offsets_to_transaction(
            positions, receipts._reader.consumer_group_metadata(), 5
        )
        publisher._producer.flush(5)
        successor = TransactionalPublisher(settings, "client-test-receipts")
        assert receipts.last() == "first", "what was open when its owner died is aborted"

        with pytest.raises(ProducerFenced):
            receipts.commit(publisher, "second")
        successor.begin()
        receipts.commit(successor, "third")
        assert receipts.last() == "third"
    finally:
        receipts.close()


def test_a_rewound_reader_reads_again(settings: Settings, reader: GroupReader) -> None:
    publisher = Publisher(settings)
    for number in range(5):
        publisher.send(TOPIC, key="k", value=b"%d" % number)
    publisher.flush()
    batch = reader.poll(5, 2.0, 5.0)

    reader.rewind([(TOPIC, batch[2].partition, batch[2].offset)])

    assert [m.value for m in reader.poll(3, 2.0, 5.0)] == [b"2", b"3", b"4"]
    assert reader.lag() == 0


@pytest.mark.parametrize("turn", range(4))
def test_what_is_sent_while_its_topic_is_being_made_is_all_there(platform: Platform, turn: int) -> None:
    """Requests that a partition refuses at first: with several under way at once, some were lost unheard."""
    name, sent = f"client-test-new-{turn}", 0
    publisher = Publisher(
        platform.settings, **{"linger.ms": 0, "topic.metadata.refresh.fast.interval.ms": 10}
    )
    making = threading.Thread(target=ensure_topics, args=(platform.settings, [TopicSpec(name, 24, {})]))
    making.start()
    until_s = time.monotonic() + 0.5
    while making.is_alive() or time.monotonic() < until_s:
        publisher.send(name, key=str(sent), value=str(sent).encode())
        sent += 1
        time.sleep(0.0005)
    publisher.flush()
    marks = watermarks(platform.settings, [name])
    read = [int(m.value or b"") for batch in stream_range(platform.settings, marks) for m in batch]
    client = admin(platform.settings)  # kept in a name: the call dies with its client
    client.delete_topics([name])[name].result(10)
    assert sorted(read) == list(range(sent))


def test_nobody_there(platform: Platform) -> None:
    nowhere = platform.settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})

    with pytest.raises(KafkaUnavailable, match="bdp up"):
        watermarks(nowhere, [TOPIC])
