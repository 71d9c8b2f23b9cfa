"""The fused process: what comes out for a micro-batch, and that it is the same when it is redone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.codec import (
    decode_alert,
    decode_dead_letter,
    decode_enriched,
    decode_prediction,
    decode_validated,
    encode,
)
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, VALIDATED
from bdp_assets.features.catalog import CATALOG
from bdp_assets.streaming.items import Output
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.decider import FakeDecider
from bdp_assets_tests.fakes.messages import PAN_KEY, body, raw
from bdp_assets_tests.fakes.online_store import FakeStore

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def scoring(store: FakeStore | None = None) -> Scoring:
    store = store or FakeStore()
    return Scoring(store, FakeDecider(), lambda: "TOPIC", alerts=store.alerts, pan_key=PAN_KEY)  # type: ignore[arg-type]


def on(topic: str, outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if output.topic == topic]


def header(output: Output, name: str) -> bytes:
    return dict(output.headers)[name]


def test_a_good_transaction_is_on_every_topic_it_should_be_on() -> None:
    outputs = scoring()([raw(body(amount=5000, customer_id="c-9"), offset=4, partition=2)])

    topics = [VALIDATED, ENRICHED, PREDICTIONS, ALERTS]
    assert [output.topic for output in outputs] == [topic.name for topic in topics]
    assert {output.key for output in outputs} == {"c-9"}
    assert {header(output, "source") for output in outputs} == {b"TOPIC:2:4"}
    assert [header(o, "schema-version") for o in outputs] == [b"%d" % t.schema_version for t in topics]
    enriched = decode_enriched(outputs[1].value)
    assert tuple(enriched.features) == tuple(CATALOG.names)
    assert enriched.features == decode_prediction(outputs[2].value).features
    assert decode_alert(outputs[3].value).transaction_id == enriched.transaction_id


def test_records_are_written_as_their_classes_would_be() -> None:
    outputs = scoring()([raw(body(amount=5000, customer_id="c-9"), offset=4, partition=2)])

    decoders = {VALIDATED: decode_validated, ENRICHED: decode_enriched, PREDICTIONS: decode_prediction}
    for topic, decode in decoders.items():
        [output] = on(topic.name, outputs)
        assert encode(decode(output.value)) == output.value  # type: ignore[operator]


def test_a_refund_is_a_dead_letter_of_its_own_and_leaves_no_trace_in_the_store() -> None:
    store = FakeStore()
    outputs = scoring(store)([raw(body(type="refund", original_transaction_id="t-0"))])

    assert [output.topic for output in outputs] == [DLQ.name]
    letter = decode_dead_letter(outputs[0].value)
    assert (letter.error, letter.field) == ("not_a_purchase", "type")
    assert (store.claims, store.merchants) == ({}, Counter())


@pytest.mark.parametrize(
    "foreign", [b"4111111111111111", b"00-aaaaaaaaaaaaaaaa4111111111111111-00f067aa0ba902b7-01"]
)
def test_the_trace_of_the_producer_is_passed_on_and_a_foreign_one_is_not(foreign: bytes) -> None:
    good = raw(body("a"), 0, headers=(("traceparent", TRACE),))
    bad = raw(body("b"), 1, headers=(("traceparent", foreign),))

    first = {header(o, "traceparent") for o in scoring()([good])}
    second = {header(o, "traceparent") for o in scoring()([bad])}
    again = {header(o, "traceparent") for o in scoring()([bad])}

    assert first == {TRACE}
    assert second == again, "made from the source, so that a redelivery makes it again"
    assert len(second) == 1
    assert TRACE not in second
    assert b"4111" not in second.pop()


def test_each_step_refuses_to_the_dead_letters() -> None:
    messages = [
        raw(b"{", 0),
        raw(body("a"), 1),
        raw(body("a"), 2),
        raw(body("poison"), 3),
        raw(body("unscorable"), 4),
        raw(body("b"), 5),
    ]

    outputs = scoring()(messages)

    dead = [(header(o, "step"), decode_dead_letter(o.value).error) for o in on(DLQ.name, outputs)]
    assert dead == [
        (b"validate", "not_json"),
        (b"enrich", "duplicate"),
        (b"enrich", "step_crashed"),
        (b"score", "step_crashed"),
    ]
    sources = {
        t.name: [header(o, "source")[-1:] for o in on(t.name, outputs)]
        for t in (VALIDATED, ENRICHED, PREDICTIONS)
    }
    assert sources[VALIDATED.name] == [b"1", b"2", b"3", b"4", b"5"]
    assert sources[ENRICHED.name] == [b"1", b"4", b"5"]
    assert sources[PREDICTIONS.name] == [b"1", b"5"]
    assert {o.key for o in on(DLQ.name, outputs)} == {"transactions-raw-v1"}


def test_an_empty_store_is_waited_for_and_not_taken_for_new_customers() -> None:
    store = FakeStore()
    store.is_ready = False

    with pytest.raises(StoreUnavailable, match="rebuild-online"):
        scoring(store)([raw(body())])
    assert not store.claims


MESSAGES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "poison", "unscorable", ""]), st.sampled_from([10, 5000])),
    max_size=20,
)


@given(drawn=MESSAGES, cut=st.integers(0, 20))
def test_redone_in_other_batches_it_gives_the_same_bytes_and_the_same_state(
    drawn: list[tuple[str, int]], cut: int
) -> None:
    messages: list[Message] = [raw(body(i or None, amount=a), offset) for offset, (i, a) in enumerate(drawn)]  # type: ignore[arg-type]
    once = FakeStore()
    expected = scoring(once)(messages)
    store = FakeStore()
    process = scoring(store)

    process(messages)
    redone = process(messages[:cut]) + process(messages[cut:])

    assert Counter(redone) == Counter(expected)
    assert (store.claimed, store.merchants) == (once.claimed, once.merchants)
    assert store.alerts.alerts == once.alerts.alerts
