from __future__ import annotations

import pytest

from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.observability.metrics import API_UNDELIVERED
from bdp_assets.settings import Settings
from bdp_assets_tests.unit.bento.conftest import body
from bento import raw_topic
from bento.raw_topic import RawTopic

NOBODY = "127.0.0.1:1"


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> RawTopic:
    """The topic of a broker that is not there, with room for twenty messages."""
    monkeypatch.setattr(raw_topic, "QUEUE_MESSAGES", 30)
    monkeypatch.setattr(raw_topic, "RESERVE", 10)
    monkeypatch.setattr(raw_topic, "PROBE_S", 0.1)
    monkeypatch.setattr(raw_topic, "FLUSH_S", 0.1)
    return RawTopic(Settings(kafka_bootstrap=NOBODY))


def send(topic: RawTopic, number: int) -> None:
    value = body(number)
    transaction = decode_transaction(value, received_ms=4_000_000_000_000)
    topic.send(transaction, value, 4_000_000_000_000)


def test_it_holds_what_it_can_and_says_when_it_is_full(away: RawTopic) -> None:
    assert not away.has_room(21)
    sent = 0
    while away.has_room(1):
        send(away, sent)
        sent += 1
    assert 10 <= sent <= 20, "a few places are the driver's own"


def test_what_can_not_be_queued_is_counted(away: RawTopic, caplog: pytest.LogCaptureFixture) -> None:
    before = API_UNDELIVERED._value.get()
    for number in range(31):
        send(away, number)
    assert API_UNDELIVERED._value.get() > before
    assert "does not reach the stream" in caplog.text


def test_without_a_broker_it_is_down_and_leaves_messages_behind(
    away: RawTopic, caplog: pytest.LogCaptureFixture
) -> None:
    send(away, 1)
    assert not away.is_up()
    away.close()
    [record] = [record for record in caplog.records if record.name == "bdp.api.raw_topic"]
    assert record.messages == 1  # type: ignore[attr-defined]
