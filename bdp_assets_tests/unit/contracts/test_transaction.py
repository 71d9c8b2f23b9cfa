from __future__ import annotations

import json
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.money import RATES_VERSION, to_base_minor
from bdp_assets.contracts.records import Door, ValidatedTransaction
from bdp_assets.contracts.rules import SEMANTIC_RULES
from bdp_assets.contracts.transaction import MAX_VALUE_BYTES, decode_transaction
from bdp_assets.contracts.wire import FORMS
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.contracts.strategies import ODD_TOKENS, any_records, as_json

NOW_MS = 1_705_314_600_000  # 2024-01-15T10:30:00Z
DAY_MS = 86_400_000
GOOD = {
    "transaction_id": '"test-123"',
    "customer_id": '"customer-456"',
    "amount": "1500.00",
    "timestamp": '"2024-01-15T10:30:00Z"',
}


def value(drop: str | None = None, **tokens: str) -> bytes:
    return as_json({name: token for name, token in {**GOOD, **tokens}.items() if name != drop}).encode()


def decode(text: bytes | None, received_ms: int = NOW_MS) -> ValidatedTransaction:
    return decode_transaction(text, received_ms=received_ms)


def refused(text: bytes | None, received_ms: int = NOW_MS) -> ContractError:
    with pytest.raises(ContractError) as caught:
        decode(text, received_ms)
    return caught.value


def test_the_originals_calls_are_accepted() -> None:
    text = (
        b'{"transaction_id": "test-123", "customer_id": "customer-456", "amount": 1500.00, '
        b'"timestamp": "2024-01-15T10:30:00Z", "merchant_id": "merchant-789"}'
    )
    assert decode_transaction(text, received_ms=NOW_MS, door=Door.HISTORY) == ValidatedTransaction(
        transaction_id="test-123",
        customer_id="customer-456",
        timestamp="2024-01-15T10:30:00Z",
        ts_ms=NOW_MS,
        amount="1500.00",
        currency="USD",
        amount_minor=150_000,
        amount_base_minor=150_000,
        rates_version=decode(text).rates_version,
        body_hash=decode(text).body_hash,
        merchant_id="merchant-789",
        door=Door.HISTORY,
    )


def test_every_field_is_in_its_place() -> None:
    strings = {name: name for name in FORMS} | {
        "timestamp": "2024-01-15T10:30:00.5+05:30",
        "currency": "JPY",
        "type": "purchase",
        "country": "GB",
        "ip": "::1",
    }
    body = json.dumps({**strings, "latitude": -1.5, "longitude": 2.5, "amount": 7}).encode()
    decoded = decode(body)
    assert {name: getattr(decoded, name) for name in FORMS if name != "type"} == {
        name: text for name, text in strings.items() if name != "type"
    }
    assert (decoded.latitude, decoded.longitude) == (-1.5, 2.5)
    assert (decoded.ts_ms, decoded.amount, decoded.amount_minor) == (NOW_MS - 19_799_500, "7", 7)
    assert (decoded.amount_base_minor, decoded.rates_version) == (to_base_minor(7, "JPY"), RATES_VERSION)
    assert (decoded.flags, decoded.door) == ([], Door.STREAM)


LONG = b'{"transaction_id": "' + b"a" * MAX_VALUE_BYTES + b'"}'
DEEP = b'{"amount":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
PAN = '"4111 1111 1111 1111"'
REFUSALS = [
    ("tombstone", None, None),
    ("too_large", None, LONG),
    ("not_utf8", None, value(customer_id='"cafe"').replace(b"cafe", b"caf\xe9")),
    ("not_utf8", None, b"\xff\xfe{\x00}\x00"),
    ("not_json", None, b""),
    ("not_json", None, b"{"),
    ("not_json", None, value() + b"x"),
    ("not_json", None, b"\xef\xbb\xbf" + value()),
    ("not_json", None, value(amount="01.5")),
    ("not_json", None, DEEP),
    ("not_a_purchase", "type", value(type='"refund"')),
    ("not_a_purchase", "type", value("merchant_id", type='"reversal"', amount="-5", original_id='"t-1"')),
    ("bad_format", "type", value(type='"chargeback"')),
    ("wrong_type", "type", value(type="[]")),
    ("not_json", "amount", value(amount="NaN")),
    ("not_json", "amount", value(amount="-Infinity")),
    ("not_json", "latitude", value(latitude="NaN")),
    ("not_object", None, b"[]"),
    ("not_object", None, b"12"),
    ("not_object", None, b"[" + value() + b"]"),
    ("missing_field", "transaction_id", b"{}"),
    ("missing_field", "customer_id", value(drop="customer_id")),
    ("missing_field", "amount", value(drop="amount")),
    ("missing_field", "timestamp", value(drop="timestamp")),
    ("missing_field", "amount", value(drop="amount", ammount="1")),
    ("wrong_type", "transaction_id", value(transaction_id="123")),
    ("wrong_type", "transaction_id", value(transaction_id="null")),
    ("wrong_type", "amount", value(amount='"1500.00"')),
    ("wrong_type", "amount", value(amount="null")),
    ("wrong_type", "amount", value(amount="true")),
    ("wrong_type", "amount", value(amount="[1]")),
    ("wrong_type", "timestamp", value(timestamp="1705314600000")),
    ("wrong_type", "merchant_id", value(merchant_id="{}")),
    ("wrong_type", "latitude", value(latitude='"52.1"')),
    ("unknown_field", "ammount", value(ammount="1")),
    ("unknown_field", None, value(**{"a b": "1"})),
    ("bad_format", "transaction_id", value(transaction_id='""')),
    ("bad_format", "transaction_id", value(transaction_id='"a b"')),
    ("bad_format", "transaction_id", value(transaction_id='"test-123\\n"')),
    ("bad_format", "transaction_id", value(transaction_id='"\\ud800"')),
    ("bad_format", "transaction_id", value(transaction_id=f'"{"a" * 65}"')),
    ("bad_format", "customer_id", value(customer_id='"a\\u001fb"')),
    ("bad_format", "timestamp", value(timestamp='"2024-01-15T10:30:00"')),
    ("bad_format", "timestamp", value(timestamp='"2024-01-15 10:30:00Z"')),
    ("bad_format", "currency", value(currency='"usd"')),
    ("bad_format", "country", value(country='"USA"')),
    ("bad_format", "ip", value(ip='"10.0.0.256"')),
    ("out_of_range", "amount", value(amount="-1")),
    ("out_of_range", "amount", value(amount="-1e-400")),
    ("out_of_range", "latitude", value(latitude="90.5")),
    ("out_of_range", "longitude", value(longitude="1e400")),
    ("out_of_range", "latitude", value(latitude="1e99999999999999999999")),
    ("amount_excess_digits", "amount", value(amount="1500.005")),
    ("amount_excess_digits", "amount", value(amount="1e-3")),
    ("amount_excess_digits", "amount", value(amount="1e-99999999999999999999")),
    ("amount_excess_digits", "amount", value(amount="100.5", currency='"JPY"')),
    ("amount_excess_digits", "amount", value(amount="1.2345", currency='"KWD"')),
    ("amount_too_large", "amount", value(amount="10000000000")),
    ("amount_too_large", "amount", value(amount="1e99999999999999999999")),
    ("amount_too_large", "amount", value(amount="1e" + "9" * 5000)),
    ("currency_unknown", "currency", value(currency='"XXX"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"2024-02-30T10:30:00Z"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"2023-02-29T10:30:00Z"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"2024-01-15T24:00:00Z"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"2024-01-15T10:60:00Z"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"2016-12-31T23:59:60Z"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"2024-01-15T10:30:00+24:00"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"2024-01-15T10:30:00+05:60"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"0000-01-01T00:00:00Z"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"0001-01-01T00:00:00+05:00"')),
    ("timestamp_invalid", "timestamp", value(timestamp='"1970-01-01T00:00:00+00:01"')),
    ("timestamp_future", "timestamp", value(timestamp='"2024-01-15T10:35:00.001Z"')),
    ("timestamp_future", "timestamp", value(timestamp='"9999-12-31T23:59:59-23:59"')),
    ("duplicate_field", "amount", value()[:-1] + b', "amount": 1500.00}'),
    ("duplicate_field", "amount", value()[:-1] + b', "\\u0061mount" : 1}'),
    ("duplicate_field", "merchant_id", value(merchant_id="null")[:-1] + b', "merchant_id": null}'),
    ("pan_in_field", "transaction_id", value(transaction_id='"4111-1111-1111-1111"')),
    ("pan_in_field", "transaction_id", value(transaction_id=PAN)),
    ("pan_in_field", "customer_id", value(customer_id='"c:378282246310005"')),
    ("pan_in_field", "merchant_category", value(merchant_category=PAN)),
    ("pan_in_field", "device_id", value(device_id='"\\u0034111111111111111"')),
    ("pan_in_field", "card", value(card=PAN)),
    ("pan_in_field", "card", value(card="4111111111111111")),
    ("pan_in_field", "card", value(card='"\\u0034111111111111111"')),
    ("pan_in_field", None, value(card='{"number": "4111111111111111"}')),
    ("pan_in_field", None, value(card='{"number": "\\u0034111111111111111"}')),
    ("pan_in_field", None, value(card='{"number": "\\u00e94111111111111111"}')),
    ("pan_in_field", None, value(**{"4111111111111111": "1"})),
]


@pytest.mark.parametrize(("code", "field", "text"), REFUSALS)
def test_every_refusal_has_its_code_and_field(code: str, field: str | None, text: bytes | None) -> None:
    error = refused(text)
    assert (error.code, error.field) == (code, field)
    assert error.message.startswith(field or ("The value", "The message", "A field"))
    assert str(error) == f"{code}: {error.message}"


def test_every_rule_that_refuses_is_shown_above() -> None:
    assert {rule.code for rule in SEMANTIC_RULES if not rule.marks} <= {code for code, _, _ in REFUSALS}


FAULTS = {
    "pan_in_field": {"merchant_category": PAN},
    "duplicate_field": {'merchant_id": null, "merchant_id': "null"},
    "timestamp_invalid": {"timestamp": '"2024-02-30T10:30:00Z"'},
    "timestamp_future": {"timestamp": '"2024-01-15T10:35:00.001Z"'},
    "currency_unknown": {"currency": '"XXX"'},
    "amount_excess_digits": {"amount": "1500.005"},
    "amount_too_large": {"amount": "10000000000"},
}
"""One for each rule that refuses, in their order; of two in one field, the first can be sent alone."""


@given(st.sets(st.sampled_from(list(FAULTS)), min_size=1))
def test_of_several_broken_rules_the_first_is_told(broken: set[str]) -> None:
    assert list(FAULTS) == [rule.code for rule in SEMANTIC_RULES if not rule.marks]
    in_order = [code for code in FAULTS if code in broken]
    tokens = {name: token for code in reversed(in_order) for name, token in FAULTS[code].items()}
    assert refused(value(**tokens)).code == in_order[0]


@pytest.mark.parametrize(
    ("token", "currency", "minor"),
    [
        *[("0", "USD", 0), ("-0", "USD", 0), ("-0.00e7", "USD", 0), ("1500.000", "USD", 150_000)],
        *[("1.5e3", "USD", 150_000), ("15000E-1", "USD", 150_000), ("0.015e+5", "USD", 150_000)],
        *[("100.0", "JPY", 100), ("1.234", "KWD", 1234), ("9999999999.99", "USD", 999_999_999_999)],
        *[("0.00000000000015e14", "USD", 1500), ("0e99999999999999999999", "USD", 0)],
        *[("1" + "0" * 3 + "." + "0" * 300, "USD", 100_000)],
    ],
)
def test_amounts_are_read_as_decimal_text(token: str, currency: str, minor: int) -> None:
    decoded = decode(value(amount=token, currency=f'"{currency}"'))
    assert (decoded.amount, decoded.amount_minor) == (token, minor)


def test_time_bounds_look_at_the_message_and_never_at_the_clock() -> None:
    text = value(timestamp='"2024-01-15T11:35:00+01:00"')
    assert decode(text, NOW_MS).ts_ms == NOW_MS + 5 * 60_000
    assert refused(text, NOW_MS - 1).code == "timestamp_future"
    assert decode(value(), NOW_MS + 90 * DAY_MS).flags == []
    assert decode(value(), NOW_MS + 90 * DAY_MS + 1).flags == ["very_old"]


@pytest.mark.parametrize(
    ("timestamp", "ts_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-01-15T16:00:00.9999999+05:30", NOW_MS + 999),
        ("2024-01-15T10:30:00-00:00", NOW_MS),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ],
)
def test_timestamps_become_epoch_milliseconds(timestamp: str, ts_ms: int) -> None:
    assert decode(value(timestamp=f'"{timestamp}"'), 2 * NOW_MS).ts_ms == ts_ms


SAME = [
    value(amount="1500.0"),
    value(amount="15e2"),
    value(timestamp='"2024-01-15T11:30:00.000+01:00"'),
    value(currency='"USD"', merchant_id="null"),
    value(type='"purchase"'),
    value(type="null"),
    value(transaction_id='"test-\\u003123"'),
    json.dumps(dict(reversed(json.loads(value()).items()))).encode(),
]
OTHER = [
    value(amount="1500.01"),
    value(amount="1500", currency='"EUR"'),
    value(timestamp='"2024-01-15T10:30:00.001Z"'),
    value(latitude="0"),
    value(longitude="0"),
    value(merchant_id='"m"'),
    value(device_id='"m"'),
    value(channel='"m"'),
    value(merchant_category='"m"'),
    value(transaction_id='"m"'),
    value(customer_id='"m"'),
    value(country='"US"'),
    value(ip='"::1"'),
    value(customer_id='"test-123"', transaction_id='"customer-456"'),
]


def test_the_body_hash_is_one_of_meaning() -> None:
    assert {decode(text).body_hash for text in SAME} == {decode(value()).body_hash}
    assert len({decode(text).body_hash for text in [value(), *OTHER]}) == len(OTHER) + 1
    assert decode(value(latitude="-0.0")).body_hash == decode(value(latitude="0")).body_hash


def test_the_body_hash_of_a_body_stays_what_it_was() -> None:
    """Claims that were made before a field was thought of know the body again."""
    assert decode(value()).body_hash == "c55d46f62f03cc7200b5c3182ca3a341"


CANARY = "zq7canary"


@settings(max_examples=cases(300))
@given(any_records, st.sampled_from(ODD_TOKENS))
def test_no_refusal_holds_the_value(record: dict[str, str], token: str) -> None:
    """Every value is a marked one that breaks the contract; nothing a log could print may hold the mark."""
    broken = {name: f'"{CANARY} {index}"' for index, name in enumerate(record)}
    for text in (
        as_json(broken),
        as_json({**broken, "amount": token}),
        f'["{CANARY}"]',
        f'{{"{CANARY} x":1}}',
        CANARY,
    ):
        error = refused(text.encode())
        shown = "".join(traceback.format_exception(error)) + repr(error.args) + repr(error.__context__)
        assert CANARY not in shown


@settings(max_examples=cases(500))
@given(st.binary(max_size=200) | any_records.map(lambda record: as_json(record).encode()))
def test_any_bytes_end_in_a_record_or_a_contract_error(text: bytes) -> None:
    try:
        decoded = decode(text, 2**53)
    except ContractError as error:
        assert error.code != "not_json" or not _is_json(text)
    else:
        assert decode(text, 2**53) == decoded


def _is_json(text: bytes) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True
