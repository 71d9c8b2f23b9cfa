"""The Kafka client's own decisions, on a driver of our making."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import certifi
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from bdp_assets.clients.kafka import (
    GroupReader,
    KafkaRefused,
    KafkaUnavailable,
    Message,
    ProducerFenced,
    TransactionAborted,
    TransactionalPublisher,
    connection,
    ends,
    group,
    publisher,
    starts,
    transaction,
)
from bdp_assets.clients.kafka.errors import translate, translated
from bdp_assets.clients.kafka.members import count_partitions
from bdp_assets.clients.kafka.publisher import enqueue
from bdp_assets.settings import InvalidSettings, Settings

CA = certifi.where()
SETTINGS = Settings(_env_file=None, kafka_bootstrap="broker:9092")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("chosen", "protocol"),
    [
        ({}, "plaintext"),
        ({"kafka_ca_file": CA}, "ssl"),
        ({"kafka_username": "bdp", "kafka_password": "p"}, "sasl_plaintext"),
        ({"kafka_ca_file": CA, "kafka_username": "bdp", "kafka_password": "p"}, "sasl_ssl"),
    ],
)
def test_the_driver_is_told_how_to_log_in(chosen: dict[str, str], protocol: str) -> None:
    settings = SETTINGS.model_copy(update=Settings(_env_file=None, **chosen).model_dump(exclude_unset=True))  # type: ignore[call-arg]
    said = connection._common(settings)
    assert said["security.protocol"] == protocol
    assert said.get("sasl.password") == ("p" if "kafka_password" in chosen else None)
    connection.admin(settings)  # the driver takes them: it refuses properties that it does not know


@pytest.mark.parametrize("half", [{"kafka_username": "bdp"}, {"kafka_password": "geheim"}])
def test_half_a_login_is_refused_and_not_echoed(half: dict[str, str]) -> None:
    settings = Settings(_env_file=None, **half)  # type: ignore[call-arg]
    with pytest.raises(InvalidSettings, match="set both or none") as refused:
        connection.admin(settings)
    assert "geheim" not in str(refused.value)


def message(partition: int, offset: int) -> Message:
    return Message("t", partition, offset, 0, None, None)


def test_starts_and_ends_are_per_partition() -> None:
    batch = [message(0, 5), message(1, 2), message(0, 6), message(1, 4)]

    assert sorted(starts(batch)) == [("t", 0, 5), ("t", 1, 2)]
    assert sorted(ends(batch)) == [("t", 0, 7), ("t", 1, 5)]


def test_the_first_header_of_a_name_counts() -> None:
    record = Message("t", 0, 0, 0, None, None, (("a", b"1"), ("a", b"2")))

    assert (record.header("a"), record.header("b")) == (b"1", None)


def test_a_broker_that_is_away_and_one_that_refuses_are_told_apart() -> None:
    away = translate("broker:9092", KafkaError(KafkaError._TRANSPORT))
    refused = translate("broker:9092", KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    assert isinstance(away, KafkaUnavailable)
    assert "broker:9092" in str(away)
    assert "bdp up" in str(away)
    assert isinstance(refused, KafkaRefused)


def test_a_future_that_times_out_means_unavailable() -> None:
    with pytest.raises(KafkaUnavailable), translated("broker:9092"):
        raise TimeoutError


class FullQueue:
    """`produce` has room only after so many polls."""

    def __init__(self, polls: int) -> None:
        self.polls = polls
        self.sent: list[object] = []

    def produce(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> None:
        if self.polls:
            raise BufferError
        self.sent.append((topic, value, key, headers))

    def poll(self, _: float) -> None:
        self.polls -= 1


def test_a_full_queue_is_waited_for() -> None:
    driver = FullQueue(polls=3)

    enqueue(driver, "broker:9092", ("topic", b"x", b"key"), [("name", b"1")])

    assert driver.sent == [("topic", b"x", b"key", [("name", b"1")])]


def test_a_queue_that_stays_full_means_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "QUEUE_WAIT_S", -1.0)

    with pytest.raises(KafkaUnavailable):
        enqueue(FullQueue(polls=100), "broker:9092", ("topic", b"x", None), [])


class Event:
    """A record as the driver hands it out."""

    def __init__(self, partition: int, offset: int) -> None:
        self._place = (partition, offset)

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return self._place[0]

    def offset(self) -> int:
        return self._place[1]

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def key(self) -> None:
        return None

    value = headers = key


class Driver:
    """Polls that rebalance: partition 1 goes away in the middle of the first batch."""

    def __init__(self, *_: object, **__: object) -> None:
        self.generation = 1
        self.seeks: list[tuple[int, int]] = []
        self.waits: list[float] = []
        self.rebalances = True

    def subscribe(self, _: object, *, on_assign, on_revoke, on_lost) -> None:  # type: ignore[no-untyped-def]
        self._assign, self._revoke, self._lost = on_assign, on_revoke, on_lost

    def consume(self, most: int, wait_s: float) -> list[Event]:
        if most == 1:
            return [Event(0, 7)]
        self.waits.append(wait_s)
        if self.rebalances:
            self.generation = 2
            self._revoke(self, [TopicPartition("t", 1)])
            self._assign(self, [])
        return [Event(1, 3), Event(0, 8)]

    def consumer_group_metadata(self) -> int:
        return self.generation

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition("t", 0)]

    def seek(self, position: TopicPartition) -> None:
        self.seeks.append((position.partition, position.offset))


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    monkeypatch.setattr(group, "consumer", lambda *_, **__: driver)
    return driver


def test_a_batch_in_which_partitions_moved_is_not_handed_out_but_read_again(driver: Driver) -> None:
    events: list[tuple[str, int]] = []
    reader = GroupReader(SETTINGS, "g", ["t"], slot=0, on_rebalance=lambda *event: events.append(event))

    assert reader.poll(10, 0.0, 0.0) == []
    assert driver.seeks == [(0, 7)], "only what is still ours"
    assert events == [("revoked", 1), ("assigned", 0)]
    driver.rebalances = False
    assert [(m.partition, m.offset) for m in reader.poll(10, 0.0, 0.0)] == [(0, 7), (1, 3), (0, 8)]


def test_a_batch_is_collected_from_the_last_poll_on(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(group, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    reader = GroupReader(SETTINGS, "g", ["t"], slot=0)

    for in_hand_s in (0.0, 5.0, 25.0):
        now_s[0] += in_hand_s
        reader.poll(10, 20.0, 0.0)

    assert driver.waits == [20.0, 15.0, 0.0]


def test_membership_is_that_of_the_last_assignment_and_not_of_the_moment(driver: Driver) -> None:
    reader = GroupReader(SETTINGS, "g", ["t"], slot=0)
    reader.poll(10, 0.0, 0.0)
    driver.generation = -1  # lost behind our back

    assert reader.membership() == 2


class TransactionalDriver:
    """Each call takes the next error from the list, None is success."""

    def __init__(self, errors: list[KafkaError | None]) -> None:
        self.errors = errors

    def init_transactions(self, _: float) -> None:
        pass

    def begin_transaction(self) -> None:
        error = self.errors.pop(0)
        if error is not None:
            raise KafkaException(error)

    def produce(self, *_: object, **__: object) -> None:
        self.begin_transaction()


def transactional(monkeypatch: pytest.MonkeyPatch, *errors: KafkaError | None) -> TransactionalPublisher:
    driver = TransactionalDriver(list(errors))
    monkeypatch.setattr(transaction, "transactional_producer", lambda *_: driver)
    return TransactionalPublisher(SETTINGS, "id-0")


RETRIABLE = KafkaError(KafkaError._TIMED_OUT, retriable=True)


def test_what_may_succeed_later_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    transactional(monkeypatch, RETRIABLE, RETRIABLE, None).begin()


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KafkaError(KafkaError.UNKNOWN_MEMBER_ID, txn_requires_abort=True), TransactionAborted),
        (KafkaError(KafkaError._FENCED, fatal=True), ProducerFenced),
        (KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED), KafkaRefused),
    ],
)
def test_what_will_not_succeed_later_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, error: KafkaError, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        transactional(monkeypatch, error).begin()


def test_without_an_end_to_the_trouble_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "GIVE_UP_S", -1.0)

    with pytest.raises(KafkaUnavailable):
        transactional(monkeypatch, RETRIABLE).begin()


def test_producing_into_a_failed_transaction_means_abort(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = transactional(monkeypatch, KafkaError(KafkaError._STATE))

    with pytest.raises(TransactionAborted):
        publisher.send("t", key=None, value=b"", headers=())


def assignment(**partitions: int) -> bytes:
    """As the group protocol writes it: version, topics, user data."""
    topics = b"".join(
        struct.pack(f">h{len(name)}si{number}i", len(name), name.encode(), number, *range(number))
        for name, number in partitions.items()
    )
    return struct.pack(">hi", 0, len(partitions)) + topics + struct.pack(">i", 0)


@pytest.mark.parametrize(
    ("told", "expected"), [(b"", 0), (assignment(), 0), (assignment(raw=6), 6), (assignment(raw=2, dlq=1), 3)]
)
def test_partitions_of_a_member_are_counted_over_all_its_topics(told: bytes, expected: int) -> None:
    assert count_partitions(told) == expected
