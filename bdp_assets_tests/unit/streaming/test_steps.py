"""Validate, enrich and score on micro-batches."""

from __future__ import annotations

import hmac
from base64 import b64decode
from functools import partial
from hashlib import sha256

import pytest

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.erasure import CUSTOMER_ERASED, Tombstones, customer_hash
from bdp_assets.contracts.headers import DECISION, DECISION_PROOF
from bdp_assets.decisions.carried import carried, proof
from bdp_assets.decisions.lists import NO_LISTS
from bdp_assets.streaming.dlq import letter
from bdp_assets.streaming.items import Dead, Decided, Enriched
from bdp_assets.streaming.steps import enrich, score, validate
from bdp_assets_tests.fakes.decider import FakeDecider
from bdp_assets_tests.fakes.inputs import NAMES, PAN, Input, inputs
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body, raw
from bdp_assets_tests.fakes.online_store import FakeStore


def place(message: Message) -> str:
    return f"topic:{message.partition}:{message.offset}"


def enriched(store: FakeStore, *messages: Message) -> list[Enriched]:
    validated, refused = validate(messages)
    assert not refused
    return enrich(validated, store, place)[0]  # type: ignore[arg-type]


def scored(items: list[Enriched], store: FakeStore) -> tuple[list[Decided], list[Dead]]:
    known = partial(carried, key=PAN_KEY)
    return score(items, FakeDecider(), store.alerts, known, store.save_decisions, NO_LISTS)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", inputs(NOW_MS), ids=NAMES)
def test_validation_takes_or_refuses_each_input_of_the_table(case: Input) -> None:
    message = raw(case.value, offset=7, partition=3)

    validated, refused = validate([message])

    if case.step != "validate" or case.error is None:
        assert not refused
        (transaction,) = [item.transaction for item in validated]
        assert tuple(transaction.flags) == case.flags
        assert case.amount_minor in (None, transaction.amount_minor)
        return
    assert not validated
    (dead,) = refused
    assert (dead.step, dead.error, dead.field) == ("validate", case.error, case.field)
    kept = letter(dead, PAN_KEY)
    assert (kept.source_partition, kept.source_offset, kept.received_ms) == (3, 7, NOW_MS + 7)
    assert kept.masked == ("pan" in case.name)
    assert kept.masked or b64decode(kept.value_base64) == (case.value or b"")
    assert PAN.encode() not in b64decode(kept.value_base64)


def test_the_table_goes_through_the_steps_as_it_says() -> None:
    cases = inputs(NOW_MS)
    messages = [raw(case.value, offset) for offset, case in enumerate(cases)]
    validated, refused = validate(messages)

    kept, repeated = enrich(validated, FakeStore(), place)  # type: ignore[arg-type]

    told = {dead.message.offset: (dead.step, dead.error, dead.field) for dead in [*refused, *repeated]}
    assert told == {
        offset: (case.step, case.error, case.field) for offset, case in enumerate(cases) if case.error
    }
    assert [item.message.offset for item in kept] == [n for n, case in enumerate(cases) if not case.error]


@pytest.mark.parametrize(
    "value", [body(merchant_id=PAN), b'{"card": "%s", ' % PAN.encode(), PAN.encode() + b"\xff"]
)
def test_a_card_number_never_reaches_the_dead_letters(value: bytes) -> None:
    _, (dead,) = validate([raw(value)])

    kept = letter(dead, PAN_KEY)
    assert PAN.encode() not in encode(kept) + b64decode(kept.value_base64)
    assert b"411111******1111" in b64decode(kept.value_base64)
    assert kept.masked
    assert kept.pan_hashes == [hmac.new(PAN_KEY, PAN.encode(), sha256).hexdigest()[:32]]


def test_a_letter_that_is_sent_again_unfixed_is_refused_again_and_stays_masked() -> None:
    _, (first,) = validate([raw(body(merchant_id=PAN))])
    sent_again = raw(b64decode(letter(first, PAN_KEY).value_base64))

    validated, (second,) = validate([sent_again])

    assert not validated
    assert (second.error, second.field) == ("pan_in_field", "merchant_id")
    assert letter(second, PAN_KEY).masked


def test_the_clock_of_the_time_bounds_is_the_message_timestamp() -> None:
    late = body(timestamp="1971-01-01T00:00:00Z")

    (validated,), _ = validate([raw(late)])

    assert validated.transaction.flags == ["very_old"]


def test_a_redelivery_is_answered_as_the_first_time_and_counts_once() -> None:
    store = FakeStore()
    message = raw(body(), offset=5)

    (first,) = enriched(store, message)
    (again,) = enriched(store, message)

    assert (first.enrichment.status, again.enrichment.status) == ("new", "redelivery")
    assert first.enrichment.features.tobytes() == again.enrichment.features.tobytes()
    assert store.merchants == {"m-1": 1}


@pytest.mark.parametrize(("second", "status"), [(body(), "duplicate"), (body(amount=13), "conflict")])
def test_another_message_with_a_taken_id_is_refused_by_enrich(second: bytes, status: str) -> None:
    store = FakeStore()
    validated, _ = validate([raw(body(), 0), raw(second, 1)])

    kept, (dead,) = enrich(validated, store, place)  # type: ignore[arg-type]

    assert [item.message.offset for item in kept] == [0]
    assert (dead.step, dead.error, dead.message.offset) == ("enrich", status, 1)
    assert b64decode(letter(dead, PAN_KEY).value_base64) == second
    assert store.merchants == {"m-1": 1}, "what is refused must not count at the merchant"


def test_an_outage_of_the_store_is_no_fault_of_the_message() -> None:
    with pytest.raises(StoreUnavailable):
        enriched(FakeStore(outages=1), raw(body()))


def test_a_decision_is_dated_by_its_own_message() -> None:
    items = enriched(FakeStore(), raw(body("a"), 3), raw(body("b", amount=5000), 9))

    decided, refused = scored(items, FakeStore())

    predictions = [decode_prediction(item.prediction) for item in decided]
    assert [p.decided_at_ms for p in predictions] == [NOW_MS + 3, NOW_MS + 9]
    assert {p.decided_by for p in predictions} == {"stream"}
    assert [item.alert is not None for item in decided] == [False, True]
    assert not refused


def test_a_decision_of_the_api_is_published_byte_for_byte_and_in_its_place() -> None:
    store = FakeStore()
    messages = [raw(body(name, amount=5000), offset) for offset, name in enumerate(("a", "b", "c"))]
    validated, _ = validate(messages)
    other = FakeStore()
    (by_api,), _ = scored(enriched(other, messages[1]), other)
    stored = by_api.prediction.replace(b'"decided_by":"stream"', b'"decided_by":"api" ')
    store.decided_by_api(validated[1].transaction, stored)

    decided, _ = scored(enriched(store, *messages), store)

    assert decided[1].prediction == stored
    assert decided[1].alert is not None
    assert decided[1].alert.transaction_id == "b"
    assert [item.alert.revision for item in decided if item.alert] == [1, 2, 3], "in the API's place, too"
    assert [decode_prediction(item.prediction).transaction_id for item in decided] == ["a", "b", "c"]


def by_api(message: Message) -> bytes:
    """What another machine's API decided about it, with a model of its own."""
    store = FakeStore()
    (decided,), _ = scored(enriched(store, message), store)
    return decided.prediction.replace(b'"fraud_probability":0.1', b'"fraud_probability":0.2')


def with_decision(message: Message, decision: bytes, key: bytes = PAN_KEY) -> Message:
    assert message.value is not None
    headers = ((DECISION, decision), (DECISION_PROOF, proof(key, message.value, decision)))
    return raw(message.value, message.offset, headers=headers)


def test_a_decision_that_comes_with_its_message_is_published_and_kept() -> None:
    """The store was emptied, or away, since the API answered."""
    store, decision = FakeStore(), by_api(raw(body()))
    message = with_decision(raw(body()), decision)
    for _ in range(2):
        (decided,), _ = scored(enriched(store, message), store)
        assert decided.prediction == decision
    assert store.claims["c-1", "t-1"].decision == decision


def test_the_decision_with_the_claim_goes_before_the_one_with_the_message() -> None:
    store, decision = FakeStore(), by_api(raw(body()))
    (validated,), _ = validate([raw(body())])
    store.decided_by_api(validated.transaction, decision)
    other = decision.replace(b":0.2", b":0.3")
    (decided,), _ = scored(enriched(store, with_decision(raw(body()), other)), store)
    assert decided.prediction == decision


@pytest.mark.parametrize("forged", ["key", "body", "decision", "proof"])
def test_a_decision_that_is_not_proven_is_not_looked_at(forged: str) -> None:
    store, decision = FakeStore(), by_api(raw(body()))
    message = with_decision(raw(body()), decision, b"x" * 32 if forged == "key" else PAN_KEY)
    headers = dict(message.headers)
    if forged == "decision":
        headers[DECISION] = decision.replace(b":0.2", b":0.0")
    if forged == "proof":
        del headers[DECISION_PROOF]
    value = body(amount=13) if forged == "body" else message.value
    (decided,), _ = scored(enriched(store, raw(value, headers=tuple(headers.items()))), store)
    assert decode_prediction(decided.prediction).fraud_probability == 0.1
    assert store.claims["c-1", "t-1"].decision is None


def test_what_the_stream_decides_of_a_claim_of_the_api_is_what_the_api_will_answer() -> None:
    """The API was killed between claim and decision; its caller asks again later."""
    store = FakeStore()
    (validated,), _ = validate([raw(body())])
    store.claimed_by_api(validated.transaction)
    (decided,), _ = scored(enriched(store, raw(body())), store)
    assert store.claims["c-1", "t-1"].decision == decided.prediction


def test_what_was_erased_is_refused_and_its_letter_has_nothing_of_it() -> None:
    stones = Tombstones({customer_hash("c-1", PAN_KEY): NOW_MS}, PAN_KEY)
    broken = [body(amount=-1), b"{c-1", body(customer_id="c-2", amount=-1)]
    later = body("later", timestamp="2026-01-01T00:00:00.001Z")
    values = [body(), later, body("other", "c-2"), *broken]
    messages = [raw(value, offset) for offset, value in enumerate(values)]

    validated, refused = validate(messages, stones)

    assert [one.transaction.transaction_id for one in validated] == ["later", "other"]
    errors = [dead.error for dead in refused]
    assert errors == [CUSTOMER_ERASED, CUSTOMER_ERASED, CUSTOMER_ERASED, "out_of_range"]
    letters = [letter(dead, PAN_KEY) for dead in refused]
    assert all("c-1" not in str(one) for one in letters)
    assert [bool(one.value_base64) for one in letters] == [False, False, False, True]
    assert [dead.error for dead in validate(messages)[1]] == ["out_of_range", "not_json", "out_of_range"]
