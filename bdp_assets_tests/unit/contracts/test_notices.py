"""What a label's and an adjustment's door have in common: no card number passes, however it is spelled."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from bdp_assets.contracts.adjustments import decode_adjustment, decode_posted_adjustment
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label, decode_posted
from bdp_assets.contracts.money import MAX_AMOUNT_MINOR
from bdp_assets.contracts.notices import EARLIEST_MS
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.contracts.strategies import spelled

PAN = "4000056655665556"
NOW_MS = 1_767_225_600_000
LABEL = {
    "transaction_id": "t",
    "customer_id": "c",
    "is_fraud": True,
    "merchant_id": "m",
    "known_at_ms": NOW_MS,
}
REFUND = {
    "adjustment_id": "a",
    "type": "refund",
    "customer_id": "c",
    "original_transaction_id": "t",
    "ts_ms": NOW_MS,
}
DOORS = (
    (decode_label, LABEL),
    (decode_posted, LABEL),
    (decode_adjustment, REFUND),
    (decode_posted_adjustment, REFUND),
)
SHORT = [
    (door, {name: 1 if name.endswith("_ms") else value for name, value in record.items()})
    for door, record in DOORS
]
"""With few digits: long ones had the door look closer."""
POSTED = (decode_posted, decode_posted_adjustment)
FIELDS = [
    (door, record, field) for door, record in SHORT for field in (*record, "unknown") if field.endswith("_id")
]
TEXTS = st.lists(
    st.sampled_from(
        [
            PAN,
            PAN[:6],
            PAN[6:],
            "400005******5556",
            "550e8400-e29b-41d4-4111-111111111111",
            *'45 -*aué\U0001f4a9/"\\\n\x7f',
            "u0034",
            "\\u0034",
        ]
    ),
    max_size=6,
).map("".join)


@pytest.mark.parametrize(("door", "record", "field"), FIELDS)
@pytest.mark.parametrize(
    "text", [PAN, "4000 0566 5566 5556", "4000-0566-5566-5556", f"é{PAN}", f"A{PAN}", "400005******5556"]
)
def test_no_card_number_passes_with_its_characters_escaped(
    door: Callable[..., Struct], record: dict[str, object], field: str, text: str
) -> None:
    for share in (0.0, 0.5, 1.0):
        value = spelled(record | {field: text}, Random(1), share)
        assert _outcome(door, value)[:2] == ("pan_in_field", None)


def test_nor_does_one_in_json_in_a_string() -> None:
    value = rb'{"transaction_id":"{\"card\":\"\\u0034000056655665556\"}","customer_id":"c","is_fraud":true}'
    assert _outcome(decode_posted, value)[0] == "pan_in_field"


@pytest.mark.parametrize(("door", "record"), DOORS)
def test_a_field_that_is_there_twice_is_refused(
    door: Callable[..., Struct], record: dict[str, object]
) -> None:
    value = json.dumps(record).encode()
    strange = ("unknown_field", "unknown") if door in POSTED else ("duplicate_field", None)
    for name, told in ((b"customer_id", ("duplicate_field", "customer_id")), (b"unknown", strange)):
        twice = b'{"%b":"c","%b":"d",' % (name, name) + value[1:]
        assert _outcome(door, twice)[:2] == told


@pytest.mark.parametrize(("door", "record"), DOORS)
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("known_at", "known_at"),
        ("Ts_ms", "Ts_ms"),
        ("a b", None),
        ("a` - at `$.customer_id`", None),
        ("line\n", None),
        ("", None),
    ],
)
def test_an_unknown_field_is_skipped_on_a_topic_and_refused_of_a_caller(
    door: Callable[..., Struct], record: dict[str, object], name: str, told: str | None
) -> None:
    outcome = _outcome(door, json.dumps({name: 5} | record).encode())
    if door in POSTED:
        says = f"unknown_field: {told or 'A field'} is not in the contract. Remove it."
        assert outcome == ("unknown_field", told, says)
    else:
        assert outcome == _outcome(door, json.dumps(record).encode())


@pytest.mark.parametrize(
    ("door", "record", "field"),
    [(door, record, field) for door, record in DOORS for field in ("known_at_ms", "ts_ms") if field in record]
    + [(door, LABEL, "ts_ms") for door, _ in DOORS[:2]],
)
@pytest.mark.parametrize("ms", [0, 1, NOW_MS // 1000, EARLIEST_MS - 1])
def test_a_time_that_is_in_seconds_or_none_is_refused(
    door: Callable[..., Struct], record: dict[str, object], field: str, ms: int
) -> None:
    says = f"out_of_range: {field} lies before the year 2000. Is it in ms?"
    assert _outcome(door, json.dumps(record | {field: ms}).encode()) == ("out_of_range", field, says)
    assert len(_outcome(door, json.dumps(record | {field: EARLIEST_MS}).encode())) == 1


@pytest.mark.parametrize(("door", "record"), DOORS[2:])
@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT_MINOR + 1, 10**20, 2**64])
def test_an_amount_is_one_that_a_purchase_can_have(
    door: Callable[..., Struct], record: dict[str, object], amount: int
) -> None:
    value = json.dumps(record | {"amount_minor": amount}).encode()
    assert _outcome(door, value)[1] == "amount_minor"
    most = json.dumps(record | {"amount_minor": MAX_AMOUNT_MINOR}).encode()
    assert len(_outcome(door, most)) == 1


@settings(max_examples=cases(300))
@given(
    st.sampled_from([*DOORS, *SHORT]),
    st.sampled_from(["customer_id", "unknown"]),
    TEXTS,
    st.integers(0, 2**32),
)
@example(SHORT[0], "customer_id", f"A{PAN}", 1)
def test_the_verdict_is_that_of_the_plain_spelling(
    door: tuple[Callable[..., Struct], dict[str, object]], field: str, text: str, seed: int
) -> None:
    decode, record = door
    record = record | {field: text}
    rng = Random(seed)
    assert _outcome(decode, spelled(record, rng)) == _outcome(decode, spelled(record, rng, share=0.0))


def _outcome(decode: Callable[..., Struct], value: bytes) -> tuple[object, ...]:
    try:
        return (decode(value, received_ms=NOW_MS),)
    except ContractError as error:
        return error.code, error.field, str(error)
