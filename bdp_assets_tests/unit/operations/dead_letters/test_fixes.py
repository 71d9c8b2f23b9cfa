"""Fixes change what they name, in their order, and nothing else."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.topics import VALIDATED
from bdp_assets.operations.dead_letters.fixes import Fix, Fixes, InvalidFix, Unfixable, When, read_fixes
from bdp_assets.operations.dead_letters.judging import NO_DOOR, Kept, Ready, judge
from bdp_assets.streaming.items import Dead
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.messages import NOW_MS, body, raw
from bdp_assets_tests.unit.operations.dead_letters.letters import dead

DOCS = Path(__file__).parents[4] / "docs" / "dead-letters.md"
CARD = "4111111111111111"
NONE = Fixes()


def fixed(value: bytes, *fixes: Fix) -> bytes:
    return Fixes(list(fixes)).apply(dead(raw(value, offset=17)))


def judged(value: bytes, *fixes: Fix, again: bool = False, error: str | None = None) -> Ready | Kept:
    message = raw(value)
    refused = Dead(message, "enrich", error, "", "transaction_id") if error else None
    return judge(dead(message, refused), Fixes(list(fixes)), now_ms=NOW_MS, again=again)


def test_what_no_fix_names_keeps_its_bytes() -> None:
    value = b'{"a": 1.50, "b": {"x" : [1e2]}, "c": "caf\\u00e9", "amount": "x"}'
    assert fixed(value, Fix(drop=["amount"])) == b'{"a":1.50,"b":{"x" : [1e2]},"c":"caf\\u00e9"}'


NAMES = st.sampled_from("abcdef")
# A longer one may be a card number, which is masked.
INTEGERS = st.integers(-(10**10), 10**10)
VALUES = st.one_of(INTEGERS, st.text(max_size=5), st.booleans(), st.none(), st.decimals(-9, 9, places=2))
RECORDS = st.dictionaries(NAMES, VALUES, max_size=6)
FIX = st.builds(
    Fix,
    rename=st.dictionaries(NAMES, NAMES, max_size=2),
    drop=st.lists(NAMES, max_size=2),
    number=st.lists(NAMES, max_size=2),
    text=st.lists(NAMES, max_size=2),
    set=st.dictionaries(NAMES, st.integers(0, 9), max_size=2),
)


def naive(record: dict[str, Any], fix: Fix) -> dict[str, Any] | None:
    """Field by field on Python values; None: it can not be done."""
    for old, new in fix.rename.items():
        if old in record:
            if new in record:
                return None
            record[new] = record.pop(old)
    record = {name: value for name, value in record.items() if name not in fix.drop}
    for name in record:
        if name in fix.number and isinstance(record[name], str):
            try:
                number = json.loads(record[name], parse_float=Decimal)
            except ValueError:
                continue
            record[name] = number if type(number) in (int, Decimal) else record[name]
    for name in record:
        if name in fix.text and type(record[name]) in (int, Decimal):
            record[name] = str(record[name])
    return {**record, **fix.set}


@settings(max_examples=cases(2_000))
@given(record=RECORDS, fix=FIX)
def test_fixes_do_what_a_naive_reader_does(record: dict[str, Any], fix: Fix) -> None:
    value = json.dumps(record, default=lambda number: json.loads(str(number), parse_float=float)).encode()
    before = json.loads(value, parse_float=Decimal)
    expected = naive(before, fix)
    if expected is None:
        with pytest.raises(Unfixable):
            fixed(value, fix)
    else:
        assert json.loads(fixed(value, fix), parse_float=Decimal) == expected


def test_money_keeps_its_digits_on_the_way_between_text_and_number() -> None:
    value = b'{"amount": "12.10", "id": 10000000000000000000000001, "bad": "1,5", "inf": "Infinity"}'
    made = fixed(value, Fix(number=["amount", "bad", "inf"], text=["id"]))
    assert made == b'{"amount":12.10,"id":"10000000000000000000000001","bad":"1,5","inf":"Infinity"}'


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        (When(), True),
        (When(error="wrong_type"), True),
        (When(error="wrong_type", field="amount", step="validate", place="0:17"), True),
        (When(source_topic="transactions-raw-v1"), True),
        (When(error="wrong_type", field="currency"), False),
        (When(place="0:18"), False),
        (When(source_topic="fraud-labels-v1"), False),
    ],
)
def test_a_fix_is_for_letters_that_match_all_of_it(when: When, applies: bool) -> None:
    value = body(amount="12")
    assert (fixed(value, Fix(when=when, drop=["amount"])) != value) == applies


def test_each_fix_sees_what_the_one_before_made() -> None:
    made = fixed(b'{"a": "1"}', Fix(rename={"a": "b"}), Fix(number=["b"]), Fix(rename={"b": "c"}))
    assert made == b'{"c":1}'


@pytest.mark.parametrize("value", [b"{", b"[]", b"\xff", b'{"a": 1, "a": 2}', b'{"a": NaN}', b""])
def test_only_a_whole_new_body_repairs_what_is_no_object_with_each_field_once(value: bytes) -> None:
    kept = judged(value, Fix(set={"a": 1}))
    assert isinstance(kept, Kept)
    assert "only `replace`" in kept.says
    good = json.loads(body("new", "c-9"))
    ready = judged(value, Fix(when=When(place="0:0"), replace=good))
    assert isinstance(ready, Ready)
    assert (ready.key, ready.fixed) == ("c-9", True)


def test_a_masked_letter_goes_only_with_a_token_in_its_place() -> None:
    value = body(device_id=CARD)
    for fix in ([], [Fix(drop=["currency"])], [Fix(set={"channel": "web"})]):
        assert isinstance(judged(value, *fix), Kept)
    assert isinstance(judged(value, Fix(set={"device_id": "tok-1"})), Ready)
    assert isinstance(judged(value, Fix(set={"device_id": CARD})), Kept)


def test_a_card_number_that_was_a_json_number_needs_a_whole_new_body() -> None:
    value = body().replace(b"12.5", CARD.encode())
    kept = judged(value, Fix(set={"amount": 1}))
    assert isinstance(kept, Kept)
    assert "only `replace`" in kept.says


def test_a_masked_label_goes_only_with_a_token_in_its_place() -> None:
    from bdp_assets.contracts.topics import LABELS

    value = msgspec.json.encode(
        {"transaction_id": CARD, "customer_id": "c", "is_fraud": True, "known_at_ms": NOW_MS}
    )
    message = msgspec.structs.replace(raw(value), topic=LABELS.name)
    entry = dead(message, Dead(message, "label", "pan_in_field", "", "transaction_id"))
    assert isinstance(judge(entry, NONE, now_ms=NOW_MS, again=False), Kept)
    touched = Fixes([Fix(set={"merchant_id": "m"})])
    assert isinstance(judge(entry, touched, now_ms=NOW_MS, again=False), Kept)
    token = Fixes([Fix(set={"transaction_id": "tok"})])
    assert isinstance(judge(entry, token, now_ms=NOW_MS, again=False), Ready)


def test_a_duplicate_is_sent_when_asked_or_changed() -> None:
    value = body()
    assert isinstance(judged(value, error="duplicate"), Kept)
    assert isinstance(judged(value, error="conflict"), Kept)
    assert isinstance(judged(value, error="duplicate", again=True), Ready)
    assert isinstance(judged(value, Fix(set={"transaction_id": "t-2"}), error="conflict"), Ready)


def test_why_a_letter_stays_never_holds_its_value() -> None:
    kept = judged(body(device_id=CARD, merchant_id="secret stuff"), Fix(drop=["device_id"]))
    assert isinstance(kept, Kept)
    assert (kept.error, "secret" in kept.says) == ("bad_format", False)


def test_a_file_is_read_as_yaml_with_times_and_numbers(tmp_path: Path) -> None:
    file = tmp_path / "fixes.yaml"
    file.write_text(
        'fixes:\n- when: {error: bad_format, place: "3:17"}\n'
        "  set: {timestamp: 2026-01-01T00:00:00Z, amount: 12.1, currency: null}\n"
    )
    (fix,) = read_fixes(file).fixes
    made = json.loads(fixed(body(currency="?"), Fix(set=fix.set)))
    assert (made["timestamp"], made["amount"], made["currency"]) == ("2026-01-01T00:00:00Z", 12.1, None)


def test_the_example_in_the_docs_is_a_file_that_works(tmp_path: Path) -> None:
    _, example, _ = re.split(r"```yaml\n|```", DOCS.read_text().partition("## Fix it first")[2])[:3]
    file = tmp_path / "fixes.yaml"
    file.write_text(example)
    fixes = read_fixes(file).fixes
    assert isinstance(judged(body(amount="12.50", cur="EUR"), fixes[0]), Ready)
    assert isinstance(judged(body(colour="red"), fixes[1]), Ready)
    assert isinstance(judged(body(device_id=CARD), fixes[2]), Ready)
    whole = msgspec.structs.replace(fixes[3], when=When(place="0:0"))
    assert isinstance(judged(b"{", whole), Ready)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fixes: [{when: {eror: x}, drop: [a]}]", "eror"),
        ("fixes: [{when: {place: 3:17}, drop: [a]}]", 'Quote places: "3:17"'),
        ('fixes: [{when: {place: "here"}, drop: [a]}]', "PARTITION:OFFSET"),
        ("fixes: [{when: {error: x}}]", "fix 1: it changes nothing"),
        ("fixes: [{replace: {a: 1}}]", "for one letter"),
        ('fixes: [{when: {place: "3:17"}, replace: {a: 1}, drop: [a]}]', "stands alone"),
        ("fixes: {", "fixes.yaml"),
        ("[]", "fixes.yaml"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "fixes.yaml"
    file.write_text(text)
    with pytest.raises(InvalidFix) as error:
        read_fixes(file)
    assert says in str(error.value)


def test_what_was_refused_behind_the_doors_is_not_sent_through_them() -> None:
    message = Message(VALIDATED.name, 0, 7, NOW_MS, b"c-1", b"no record", ())
    refused = Dead(message, "analytics", "not_decodable", "The message is no validated transaction.")
    for again in (False, True):
        kept = judge(dead(message, refused), NONE, now_ms=NOW_MS, again=again)
        assert isinstance(kept, Kept)
        assert kept.says == NO_DOOR
