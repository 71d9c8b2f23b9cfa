"""A label's door: of callers, who may leave out since when it is known, and of the topic, which must not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label, decode_posted
from bdp_assets.contracts.records import Label
from bdp_assets.contracts.rules import MAX_AHEAD_MS
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.contracts.strategies import typed_records

NOW_MS = 1_767_225_600_000
FIELDS = {"transaction_id": "t", "customer_id": "c", "is_fraud": True}


def test_what_is_not_dated_is_known_now() -> None:
    value = json.dumps(FIELDS).encode()
    assert decode_posted(value, received_ms=NOW_MS) == Label(**FIELDS, known_at_ms=NOW_MS)  # type: ignore[arg-type]
    with pytest.raises(ContractError) as refused:
        decode_label(value, received_ms=NOW_MS)
    assert (refused.value.code, refused.value.field) == ("missing_field", "known_at_ms")


@settings(max_examples=cases(50))
@given(typed_records(Label))
def test_both_doors_say_the_same_of_what_is_dated(label: Label) -> None:
    assert _outcome(decode_posted, encode(label)) == _outcome(decode_label, encode(label))


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"known_at_ms": NOW_MS + MAX_AHEAD_MS + 1}, "timestamp_future", "known_at_ms"),
        ({"ts_ms": NOW_MS + MAX_AHEAD_MS + 1}, "timestamp_future", "ts_ms"),
        ({"known_at_ms": -1}, "out_of_range", "known_at_ms"),
        ({"known_at_ms": NOW_MS - MAX_AHEAD_MS - 1, "ts_ms": NOW_MS}, "out_of_range", "known_at_ms"),
        ({"known_at_ms": None}, "wrong_type", "known_at_ms"),
        ({"is_fraud": "yes"}, "wrong_type", "is_fraud"),
        ({"customer_id": ""}, "out_of_range", "customer_id"),
        ({"merchant_id": "4111111111111111"}, "pan_in_field", None),
    ],
)
def test_what_breaks_the_contract_is_named(fields: dict[str, object], code: str, field: str | None) -> None:
    assert _outcome(decode_posted, json.dumps(FIELDS | fields).encode()) == (code, field)


@pytest.mark.parametrize("value", [b"[" * 100_000, b'{"a":' * 50_000])
def test_what_is_nested_without_end_is_refused(value: bytes) -> None:
    assert isinstance(_outcome(decode_label, value), tuple)


def _outcome(decode: object, value: bytes) -> object:
    try:
        return decode(value, received_ms=NOW_MS)  # type: ignore[operator]
    except ContractError as error:
        return error.code, error.field
