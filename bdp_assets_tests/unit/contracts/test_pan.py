from __future__ import annotations

import hmac
import json
import random
import sys
import uuid
from hashlib import sha256
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.pan import holds_masked_pan, holds_pan, is_pan, mask_pans, may_hold_pan
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.contracts.wire import FORMS
from bdp_assets_tests.unit.contracts.strategies import spelled

KEY = b"a key of the tests"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
# Numbers that the issuers or payment providers publish for tests.
CARDS = {
    "Visa": ["4111111111111111", "4012888888881881", "4222222222222"],
    "Mastercard": ["5555555555554444", "5105105105105100", "2223003122003222"],
    "American Express": ["378282246310005", "371449635398431"],
    "Discover": ["6011111111111117", "6445644564456445"],
    "Diners Club": ["30569309025904", "38520000023237", "36227206271667"],
    "JCB": ["3530111333300000", "3566002020360505"],
    "UnionPay": ["6240008631401148", "6205500000000000004"],
    "Maestro": ["6759649826438453", "501800000009", "6799990100000000019"],
}
NUMBERS = [number for numbers in CARDS.values() for number in numbers]


@pytest.mark.parametrize("number", NUMBERS)
def test_issuers_numbers_are_found_however_they_are_grouped(number: str) -> None:
    grouped = [number[at : at + 4] for at in range(0, len(number), 4)]
    for text in (
        number,
        " ".join(grouped),
        "-".join(grouped),
        " - ".join(grouped),
        f"c:{number}x",
        f"1-{number}",
    ):
        assert holds_pan(text)
        assert may_hold_pan(text.encode())


@pytest.mark.parametrize("number", NUMBERS)
def test_one_wrong_digit_is_no_card_number(number: str) -> None:
    assert not is_pan(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "text",
    [
        *["", "test-123", "1705314600000", "2024-01-15T10:30:00.123456789+05:30", "4111 1111 1111"],
        *["1234567890123452", "99994111111111111111", "4111.1111.1111.1111", "0000000000000000"],
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_what_is_no_card_number_is_none(text: str) -> None:
    assert not holds_pan(text)


def test_uuids_never_look_like_card_numbers_but_digits_in_their_shape_may() -> None:
    rng = random.Random(1)
    assert not any(holds_pan(str(uuid.UUID(int=rng.getrandbits(128), version=4))) for _ in range(20_000))
    assert not holds_pan("aaaaaaaa-aaaa-4aaa-4111-111111111111")
    assert holds_pan("41111111-1111-1111-0000-000000000000")


def test_random_16_digit_ids_are_refused_at_the_documented_rate() -> None:
    rng = random.Random(2)
    hits = sum(is_pan(f"{rng.randrange(10**16):016d}") for _ in range(100_000))
    assert 0.032 < hits / 100_000 < 0.036


def test_masks_keep_the_bin_the_last_four_and_everything_else() -> None:
    value = b'\xff{"a":"x4111 1111-1111 1111y","b":378282246310005, "c": "4111111111111112"'
    masked = mask_pans(value, KEY)
    assert masked.value == b'\xff{"a":"x4111 11**-**** 1111y","b":378282*****0005, "c": "4111111111111112"'
    assert len(masked.hashes) == len(set(masked.hashes)) == 2


def test_a_number_whose_end_looks_like_another_is_one() -> None:
    assert holds_pan("5018 0000 0009")
    masked = mask_pans(b"4010 5018 0000 0009", KEY)
    assert masked.value == b"4010 50** **** 0009"
    assert len(masked.hashes) == 1


def test_equal_numbers_have_equal_hashes_under_one_key_only() -> None:
    one, two = mask_pans(b"4111111111111111", KEY), mask_pans(b"4111-1111 1111 1111", KEY)
    assert one.hashes == two.hashes != mask_pans(b"4111111111111111", b"another key").hashes


def test_a_hash_is_the_keyed_one_that_every_tool_has() -> None:
    expected = hmac.new(KEY, b"4111111111111111", sha256).hexdigest()[:32]
    assert mask_pans(b"4111 1111-11111111", KEY).hashes == [expected]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_masked_number_is_known_as_one(number: str) -> None:
    for text in (number, f"x {number[:4]}-{number[4:8]} {number[8:]}."):
        assert not holds_masked_pan(text)
        assert holds_masked_pan(mask_pans(text.encode(), KEY).value.decode())
    assert not holds_masked_pan("1 ** 2, 123456 or **** 1234, 123456*1234")


@given(st.sampled_from(sorted(FORMS)), st.sampled_from(NUMBERS))
def test_no_masked_value_keeps_the_contract(field: str, number: str) -> None:
    """So a dead letter that is sent again unfixed is refused again, whoever sends it."""
    record = {"transaction_id": "t", "customer_id": "c", "amount": 1, "timestamp": "2024-01-15T10:30:00Z"}
    value = mask_pans(json.dumps({**record, field: number}).encode(), KEY).value
    with pytest.raises(ContractError) as refused:
        decode_transaction(value, received_ms=1_705_314_600_000)
    assert (refused.value.code, refused.value.field) == ("pan_in_field", field)


def test_digits_behind_json_escapes_are_masked_and_other_escapes_stay() -> None:
    assert mask_pans(rb'"\u0034111\u0020111111111111"', KEY).value == b'"4111 11******1111"'
    assert mask_pans(rb'"\u0034\u00e9"', KEY) == (rb'"\u0034\u00e9"', [])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (rb'"\u00e94111111111111111"', rb'"\u00e9411111******1111"'),
        (rb'"\u00414111111111111111"', b'"A411111******1111"'),
        (rb'"\u00e9\u0041 \"\n\\4111111111111111"', rb'"\u00e9A \"\n\\411111******1111"'),
        (rb'"{\"a\":\"\\u0034111111111111111\"}"', rb'"{\"a\":\"411111******1111\"}"'),
        (rb'"\u005cu0034111111111111111"', b'"411111******1111"'),
        (rb"\4111111111111111", rb"\411111******1111"),
        (rb"no JSON: \u4111111111111111", rb"no JSON: \u411111******1111"),
    ],
)
def test_an_escape_beside_a_number_does_not_hide_it(value: bytes, kept: bytes) -> None:
    assert mask_pans(value, KEY).value == kept


@given(TEXT, st.sampled_from(NUMBERS), TEXT, st.integers(0, 2**32))
def test_a_number_is_masked_however_its_json_is_spelled(
    before: str, number: str, after: str, seed: int
) -> None:
    value = spelled({"a": f"{before}|{number}|{after}"}, Random(seed))
    masked = mask_pans(value, KEY)
    assert number not in json.loads(masked.value)["a"]
    assert hmac.digest(KEY, number.encode(), "sha256").hex()[:32] in masked.hashes
    assert mask_pans(masked.value, KEY) == (masked.value, [])


@given(st.binary(max_size=60), st.sampled_from(NUMBERS), st.binary(max_size=60))
def test_no_masked_value_holds_a_card_number(before: bytes, number: str, after: bytes) -> None:
    masked = mask_pans(before + b"|" + number.encode() + b"|" + after, KEY)
    assert number.encode() not in masked.value
    assert masked.hashes
    assert mask_pans(masked.value, KEY) == (masked.value, [])


@given(st.binary(max_size=80))
def test_the_quick_look_is_never_wrong_with_a_no(value: bytes) -> None:
    if holds_pan(value.decode("latin-1")):
        assert may_hold_pan(value)


GROUPS = st.lists(st.text("0123456789", min_size=1, max_size=5), min_size=1, max_size=40)


@given(GROUPS | st.permutations([*"4111111111111111"]), st.sampled_from([" ", "-", " - "]))
def test_exactly_the_groups_that_together_are_a_number_are_masked(groups: list[str], between: str) -> None:
    """The plain reading of the rule: from each group the longest number, none begins within another."""
    left, kept = list(groups), []
    while left:
        ends = range(len(left), 0, -1)
        end = next((end for end in ends if is_pan("".join(left[:end]))), None)
        if end is None:
            kept.append(left.pop(0))
            continue
        digits = "".join(left[:end])
        kept.append(f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}")
        del left[:end]
    masked = mask_pans(between.join(groups).encode(), KEY).value.decode()
    assert masked.replace(" ", "").replace("-", "") == "".join(kept)


@pytest.mark.parametrize("digits", ["4", "563", "0"])
def test_a_digit_alone_costs_little_however_many_there_are(digits: str) -> None:
    """Else one body of them would keep every other call of its process waiting for seconds."""
    text, lines = " ".join(digits * (900 // len(digits))), 0

    def count(_: Any, event: str, __: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        holds_pan(text)
    finally:
        sys.settrace(before)
    assert lines < 900 * 50
