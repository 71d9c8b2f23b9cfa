"""The ledger balances on a true stream, and on no other."""

from __future__ import annotations

import msgspec
import pytest

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED
from bdp_assets.operations.ledger import Ledger, balance
from bdp_assets.operations.ledger_reading import Cut, Entries
from bdp_assets.operations.ledger_table import as_json
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.decider import FakeDecider
from bdp_assets_tests.fakes.messages import PAN_KEY, body, raw
from bdp_assets_tests.fakes.online_store import FakeStore

VALUES = [
    body("a"),
    b"{",
    body("b", amount=5000),
    body("a"),
    body("a", amount=9),
    body("poison"),
    body("unscorable"),
    body("c"),
]


def stream(topic_id: str = "T") -> list[Message]:
    """Raw messages on partition 2 from offset 10 on, and what the stream makes of them."""
    incoming = [raw(value, offset=10 + i, partition=2) for i, value in enumerate(VALUES)]
    store = FakeStore()
    outputs = Scoring(store, FakeDecider(), lambda: topic_id, alerts=store.alerts, pan_key=PAN_KEY)(incoming)  # type: ignore[arg-type]
    return incoming + [
        Message(o.topic, 0, i, 0, o.key.encode(), o.value, o.headers) for i, o in enumerate(outputs)
    ]


def ledger(messages: list[Message], end: int = 10 + len(VALUES)) -> Ledger:
    entries = Entries(Cut("T", lows={2: 10}, ends={2: end}))
    entries.add(messages)
    return balance(entries)


def test_a_true_stream_balances_and_every_kind_is_counted() -> None:
    told = ledger(stream())

    assert told.balanced
    assert told.counts == {
        "raw": 8,
        "validated": 7,
        "enriched": 4,
        "predictions": 3,
        "alerts": 1,
        "refused by validate": 1,
        "refused by enrich": 3,
        "refused by score": 1,
        "waiting": 0,
    }
    assert told.refused == {"conflict": 1, "duplicate": 1, "not_json": 1, "step_crashed": 2}


@pytest.mark.parametrize("topic", [VALIDATED, ENRICHED, PREDICTIONS, DLQ])
def test_a_lost_record_is_noticed(topic: object) -> None:
    messages = stream()
    lost = next(m for m in messages if m.topic == topic.name)  # type: ignore[attr-defined]

    assert not ledger([m for m in messages if m is not lost]).balanced


@pytest.mark.parametrize("topic", [VALIDATED, ENRICHED, PREDICTIONS, ALERTS, DLQ])
def test_a_doubled_record_is_noticed(topic: object) -> None:
    messages = stream()
    doubled = next(m for m in messages if m.topic == topic.name)  # type: ignore[attr-defined]

    assert not ledger([*messages, doubled]).balanced


def test_a_loss_and_a_double_do_not_make_up_for_each_other() -> None:
    messages = stream()
    first, second, *_ = [m for m in messages if m.topic == PREDICTIONS.name]

    told = ledger([*(m for m in messages if m is not second), first])

    assert told.counts["predictions"] == 3
    assert not told.balanced


def test_one_transaction_predicted_for_two_messages_is_noticed() -> None:
    messages = stream()
    first, _, third = [m for m in messages if m.topic == PREDICTIONS.name]
    forged = msgspec.structs.replace(third, value=first.value)

    told = ledger([forged if m is third else m for m in messages])

    assert [e.says for e in told.equations if not e.holds] == ["transactions predicted twice = 0"]


def test_an_id_that_another_transaction_takes_over_is_not_a_double() -> None:
    messages = stream()
    first, _, third = [m for m in messages if m.topic == PREDICTIONS.name]
    later = encode(msgspec.structs.replace(decode_prediction(first.value or b""), amount_base_minor=1))
    taken = msgspec.structs.replace(third, value=later)

    assert ledger([taken if m is third else m for m in messages]).balanced


def test_an_alert_without_its_prediction_is_noticed() -> None:
    messages = stream()
    (alert,) = [m for m in messages if m.topic == ALERTS.name]
    other = next(m for m in messages if m.topic == DLQ.name)
    forged = msgspec.structs.replace(alert, headers=other.headers)

    assert not ledger([forged if m is alert else m for m in messages]).balanced


def test_an_alert_of_another_transaction_is_noticed() -> None:
    messages = stream()
    (alert,) = [m for m in messages if m.topic == ALERTS.name]
    forged = msgspec.structs.replace(alert, value=(alert.value or b"").replace(b'"b"', b'"x"'))

    told = ledger([forged if m is alert else m for m in messages])

    assert [e.says for e in told.equations if not e.holds] == ["alerts of unknown transactions = 0"]


def test_what_is_not_committed_yet_waits_and_its_results_do_not_count() -> None:
    told = ledger(stream(), end=12)

    assert told.balanced
    assert (told.counts["raw"], told.counts["predictions"], told.counts["waiting"]) == (2, 1, 6)


def test_results_of_a_raw_topic_that_was_wiped_do_not_count() -> None:
    old = [m for m in stream("OLD") if m.topic != RAW.name]

    assert ledger(stream() + old) == ledger(stream())


def test_json_says_what_the_dataclass_says() -> None:
    told = as_json(ledger(stream()[:-1]))

    assert told["balanced"] is all(e["holds"] for e in told["equations"]) is False
    assert told["counts"]["raw"] == 8
