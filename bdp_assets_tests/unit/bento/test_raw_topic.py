from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.headers import DECISION
from bdp_assets.contracts.topics import LABELS, RAW
from bdp_assets.decisions.carried import carried
from bdp_assets.observability import trace_context
from bdp_assets.observability.metrics import API_SPOOL_WAITING, API_UNDELIVERED
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.spans import told_spans
from bento import raw_topic
from bento.raw_topic import RawTopic
from bento.spool.frames import Arrival, Settled
from bento.spool.reader import Reader, Ready
from bento.spool.spool import Spool

NOBODY = "127.0.0.1:1"
KEY = b"key"


class FakeProducer:
    """Delivers at the next poll, in an order of its own, what it is told to."""

    def __init__(self) -> None:
        self.up = True
        self.error: Any = None
        self.sent: list[dict[str, Any]] = []
        self._waiting: list[Any] = []

    def produce(self, topic: str, value: bytes, key: str, **more: Any) -> None:
        self.sent.append({"topic": topic, "value": value, "key": key, **more})
        self._waiting.insert(0, more["on_delivery"])

    def poll(self, _: float) -> None:
        if self.up:
            waiting, self._waiting = self._waiting, []
            for delivered in waiting:
                delivered(self.error, None)

    def flush(self, _: float) -> None:
        self.poll(0)


class Refusal:
    def name(self) -> str:
        return "MSG_SIZE_TOO_LARGE"


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()
    monkeypatch.setattr(raw_topic, "producer", lambda *_, **__: fake)
    monkeypatch.setattr(raw_topic, "WAIT_S", 0.001)
    return fake


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, 2**30)


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
HEADERS = (("request-id", b"r"), ("traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01".encode()))


def write(spool: Spool, *texts: str, sends: bool = True) -> None:
    arrivals = [Arrival("customer", text.encode(), HEADERS, 1_000) for text in texts]
    spool.settled([Settled(number, sends, b"decided") for number in spool.came(arrivals)])


def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert condition()


def test_all_is_sent_in_order_as_it_came_with_its_decision(spool: Spool, producer: FakeProducer) -> None:
    topic = RawTopic(Settings(), spool, KEY)
    write(spool, "1", "2")
    topic.start()
    write(spool, "3", sends=False)
    write(spool, "4")
    until(lambda: not spool.waiting)
    topic.close()
    assert [one["value"] for one in producer.sent] == [b"1", b"2", b"4"]
    [first, *_] = producer.sent
    assert (first["key"], first["timestamp"]) == ("customer", 1_000)
    headers = dict(first["headers"])
    assert headers["request-id"] == b"r"

    class Sent:
        value = first["value"]
        header = headers.get

    assert carried(Sent, KEY) == b"decided"
    assert carried(Sent, b"another key") is None


def test_each_message_goes_to_its_topic_with_that_topics_schema(spool: Spool, producer: FakeProducer) -> None:
    topic = RawTopic(Settings(), spool, KEY)
    topic.start()
    for name in (LABELS.name, RAW.name):
        [number] = spool.came([Arrival("customer", b"1", (), 1_000, name)])
        spool.settled([Settled(number, sends=True)])
    until(lambda: not spool.waiting)
    topic.close()
    assert [one["topic"] for one in producer.sent] == [LABELS.name, RAW.name]
    assert [one["headers"] for one in producer.sent] == [
        [schema_version_header(LABELS)],
        [schema_version_header(RAW)],
    ]


def test_what_a_killed_process_left_is_sent_by_the_next(tmp_path: Path, producer: FakeProducer) -> None:
    killed = Spool(tmp_path, 2**30)
    write(killed, "1")
    killed.came([Arrival("customer", b"2", (), 1_000)])
    killed.close()
    spool = Spool(tmp_path, 2**30)
    topic = RawTopic(Settings(), spool, KEY)
    topic.start()
    until(lambda: not spool.waiting)
    topic.close()
    assert [(one["value"], DECISION in dict(one["headers"])) for one in producer.sent] == [
        (b"1", True),
        (b"2", False),
    ]


def test_what_nobody_comes_back_for_is_counted_and_sent_by_another(
    tmp_path: Path, producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_topic, "LOOK_S", 0.0)
    spool, *others = (Spool(tmp_path, 2**30) for _ in range(3))
    for text, other in zip("12", others, strict=True):
        write(other, text)
        other.close()
    producer.up = False
    topic = RawTopic(Settings(), spool, KEY)
    topic.start()
    until(lambda: len(producer.sent) == 1)
    topic.report()
    assert API_SPOOL_WAITING._value.get() == 1
    producer.up = True
    write(spool, "3")
    until(lambda: len(producer.sent) == 3 and not list(tmp_path.glob("[12]/*.spool")))
    topic.close()
    topic.report()
    assert API_SPOOL_WAITING._value.get() == 0
    assert sorted(one["value"] for one in producer.sent) == [b"1", b"2", b"3"]


def test_what_another_left_and_nobody_can_read_holds_up_nothing(
    tmp_path: Path, producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_topic, "LOOK_S", 0.0)
    monkeypatch.setattr(raw_topic, "PROBE_S", 0.001)
    spool, other = Spool(tmp_path, 2**30), Spool(tmp_path, 2**30)
    write(other, "1")
    other.close()
    ready = Reader.ready

    def refused(reader: Reader, most: int) -> list[Ready]:
        if reader._folder == other.folder:
            raise OSError(errno.EIO, "input/output error")
        return ready(reader, most)

    monkeypatch.setattr(Reader, "ready", refused)
    topic = RawTopic(Settings(), spool, KEY)
    topic.start()
    write(spool, "2")
    until(lambda: not spool.waiting)
    topic.close()
    assert [one["value"] for one in producer.sent] == [b"2"]


def test_while_the_broker_is_away_the_spool_keeps_everything(
    spool: Spool, producer: FakeProducer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_topic, "AT_ONCE", 2)
    producer.up = False
    topic = RawTopic(Settings(), spool, KEY)
    topic.start()
    write(spool, "1", "2", "3")
    until(lambda: len(producer.sent) == 2)
    topic.report()
    assert API_SPOOL_WAITING._value.get() == 3
    topic.close()
    assert spool.waiting == 3
    [record] = [record for record in caplog.records if record.name == "bdp.api.raw_topic"]
    assert record.messages == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("at_once", [2, 2_000])
def test_a_stop_sends_what_the_spool_holds(
    spool: Spool, producer: FakeProducer, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Also what nobody has looked for yet, and what there was no room for beside what is under way."""
    monkeypatch.setattr(raw_topic, "AT_ONCE", at_once)
    monkeypatch.setattr(raw_topic, "GATHER_S", 60.0)
    topic = RawTopic(Settings(), spool, KEY)
    write(spool, *"12")
    topic.start()
    until(lambda: len(producer.sent) == 2)
    write(spool, *"3456")
    topic.close()
    assert [one["value"] for one in producer.sent] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert spool.waiting == 0


def test_an_outcome_that_the_disk_refuses_holds_up_nothing(
    spool: Spool, producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = RawTopic(Settings(), spool, KEY)
    numbers = spool.came([Arrival("customer", text, (), 1_000) for text in (b"1", b"2")])
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda *_: 0)
        with pytest.raises(OSError, match="space"):
            spool.settled([Settled(number, sends=True) for number in numbers])
    topic.start()
    until(lambda: not spool.waiting)
    topic.close()
    assert [one["value"] for one in producer.sent] == [b"1", b"2"]


def test_what_the_broker_refuses_for_good_is_counted(
    spool: Spool, producer: FakeProducer, caplog: pytest.LogCaptureFixture
) -> None:
    before = API_UNDELIVERED._value.get()
    producer.error = Refusal()
    topic = RawTopic(Settings(), spool, KEY)
    topic.start()
    write(spool, "1")
    until(lambda: not spool.waiting)
    topic.close()
    assert API_UNDELIVERED._value.get() == before + 1
    [record] = [record for record in caplog.records if "does not reach the stream" in record.message]
    assert record.trace_id == TRACE_ID  # type: ignore[attr-defined]


def test_without_a_broker_it_is_down(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_topic, "PROBE_S", 0.1)
    assert not RawTopic(Settings(kafka_bootstrap=NOBODY), spool, KEY).is_up()


def test_a_sampled_message_goes_on_under_its_sending(spool: Spool, producer: FakeProducer) -> None:
    """The stream's work is a part of the sending, which is a part of the call."""
    with told_spans(0.0) as told:
        topic = RawTopic(Settings(), spool, KEY)
        write(spool, "1")
        topic.start()
        until(lambda: not spool.waiting)
        topic.close()
        [span] = told()
    assert (span.name, span.kind, span.status.is_unset) == (f"send {RAW.name}", SpanKind.PRODUCER, True)
    [sent] = producer.sent
    headers = dict(sent["headers"])
    own = trace_context.ids(headers.pop("traceparent").decode())
    came = trace_context.ids(dict(HEADERS)["traceparent"].decode())
    assert own == (came.trace, span.context.span_id)
    assert span.parent is not None
    assert span.parent.span_id == came.span
    assert headers["request-id"] == b"r"
