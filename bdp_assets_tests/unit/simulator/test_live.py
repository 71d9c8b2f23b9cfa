"""The live stream: event time is now, ids are new, fraud of every kind, bad records refused for cause."""

from __future__ import annotations

import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.simulator.drafts import KINDS
from bdp_assets.simulator.live import LiveRecord, letters
from bdp_assets.simulator.spoil import BAD_KINDS, CONFLICT, DUPLICATE, SPOILERS
from bdp_assets.simulator.world import History, World

START_MS = 1_772_330_000_123
PER_SECOND = 150
COUNT = 3_000


@pytest.fixture(scope="module")
def session(world: World) -> list[LiveRecord]:
    return [*islice(world.live(START_MS, PER_SECOND, bad_share=0.05), COUNT)]


def _now(number: int) -> int:
    return START_MS + number * 1_000 // PER_SECOND


def test_every_kind_of_fraud_and_of_bad_record_shows_up_soon(session: list[LiveRecord]) -> None:
    assert {record.kind for record in session} == {*KINDS, *BAD_KINDS}
    frauds = [record for record in session if record.kind in KINDS[1:]]
    assert 0.01 < len(frauds) / COUNT < 0.06


def test_event_time_is_now(session: list[LiveRecord]) -> None:
    for number, record in enumerate(session):
        if record.kind in KINDS:
            assert decode_transaction(record.value, received_ms=_now(number)).ts_ms == _now(number)


def test_ids_are_those_of_the_body_and_unique(session: list[LiveRecord], history: History) -> None:
    good = [record for record in session if record.kind in KINDS]
    for record in good:
        body = json.loads(record.value)
        assert (record.transaction_id, record.customer_id) == (body["transaction_id"], body["customer_id"])
    ids = {record.transaction_id for record in session}
    assert len({record.transaction_id for record in good}) == len(good)
    assert ids.isdisjoint(history.transactions["transaction_id"])
    assert {record.customer_id for record in good} <= set(history.transactions["customer_id"]) | {
        f"C{number:06}" for number in range(400)
    }


def test_another_session_has_other_ids(world: World, session: list[LiveRecord]) -> None:
    later = islice(world.live(START_MS + 1, PER_SECOND), COUNT)
    assert {r.transaction_id for r in session}.isdisjoint({r.transaction_id for r in later})


def test_a_session_can_be_made_again(world: World, session: list[LiveRecord]) -> None:
    assert [*islice(world.live(START_MS, PER_SECOND, bad_share=0.05), 500)] == session[:500]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("broken_json", None),
        ("negative_amount", "amount"),
        ("naive_timestamp", "timestamp"),
        ("card_number", "merchant_id"),
    ],
)
def test_spoilt_records_are_refused_for_what_is_wrong(
    session: list[LiveRecord], kind: str, field: str | None
) -> None:
    spoilt = [(number, record) for number, record in enumerate(session) if record.kind == kind]
    assert spoilt
    for number, record in spoilt:
        with pytest.raises(ContractError) as refused:
            decode_transaction(record.value, received_ms=_now(number))
        assert refused.value.field == field
    assert set(SPOILERS) == {"broken_json", "negative_amount", "naive_timestamp", "card_number"}


def test_duplicates_and_conflicts_follow_what_they_repeat(session: list[LiveRecord]) -> None:
    seen: dict[str, bytes] = {}
    for number, record in enumerate(session):
        if record.kind == DUPLICATE:
            assert record.value == seen[record.transaction_id]
        elif record.kind == CONFLICT:
            other = decode_transaction(record.value, received_ms=_now(number))
            first = decode_transaction(seen[record.transaction_id], received_ms=_now(number))
            assert (other.transaction_id, other.customer_id) == (first.transaction_id, first.customer_id)
            assert other.body_hash != first.body_hash
        else:
            seen[record.transaction_id] = record.value


def test_no_bad_records_when_none_are_asked_for(world: World) -> None:
    assert {r.kind for r in islice(world.live(START_MS, PER_SECOND, bad_share=0.0), 600)} <= set(KINDS)


@pytest.mark.parametrize("per_second", [0.5, 7, 2_500])
def test_any_rate_keeps_event_time_at_now(world: World, per_second: float) -> None:
    for number, record in enumerate(islice(world.live(START_MS, per_second, bad_share=0.0), 40)):
        moment = decode_transaction(record.value, received_ms=START_MS + 100_000).ts_ms
        assert moment == START_MS + int(number * 1_000 / per_second)


@given(st.integers(1, 10**14), st.integers(1, 10**14))
def test_session_names_are_letters_and_tell_starts_apart(one: int, other: int) -> None:
    assert letters(one).isalpha()
    assert (letters(one) == letters(other)) == (one == other)
