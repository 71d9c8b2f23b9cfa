"""Hypothesis strategies: records on the wire as JSON tokens, and typed records from their own annotations."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from bdp_assets.contracts.wire import FORMS, REQUIRED, RawTransaction

FIELDS = RawTransaction.__struct_fields__

_IDS = ("test-123", "a", "7", "A.b_c:d-e", "x" * 64)
_TIMES = (
    *("2024-01-15T10:30:00Z", "2024-01-15T10:30:00.123456789+05:30", "1999-12-31T23:59:59.1-00:00"),
    "2024-02-30T25:61:60+99:99",
)
_TEXTS = {
    "timestamp": _TIMES,
    "currency": ("USD", "JPY", "XXX"),
    "country": ("US", "ZZ"),
    "merchant_category": ("grocery", "5411", "Bars & Clubs (18+), 24/7; 'Joe\\u0027s'", "x" * 64),
    "type": ("purchase",),
    "channel": ("online", "pos", "card_not-present", "x" * 32),
    "ip": ("10.0.0.1", "255.255.255.255", "::", "2001:db8::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"),
}
_NUMBERS = {
    "amount": ("0", "-0", "0.00", "-0e5", "12.34", "1500.00", "1.5e3", "1E2", "7", "999999999.99", "1e400"),
    "latitude": ("90", "-90", "0", "-0.0", "9e1", "1e-400", "52.123456789"),
    "longitude": ("180", "-180", "0", "1.8E+2", "-179.999999"),
}
GOOD = {
    name: [f'"{text}"' for text in _TEXTS.get(name, _IDS)] if name in FORMS else list(_NUMBERS[name])
    for name in FIELDS
}

ODD_TOKENS = [
    *("null", "true", "false", "[]", "{}", '{"a":[1]}', '["x"]'),
    *("-1", "-0.01", "90.5", "-180", "180.01", "1e3", "-1e300", "1e400", "12345678901234567890123"),
    *('""', '" "', '"a"', '"12"', '"abc "', '"abc\\n"', '"\\u00e9"', '"\\uff11"', '"\\ud800"', '"\\u0000"'),
    *('"refund"', '"reversal"', '"purchase"', '"purchase\\n"', '"Purchase"'),
    *('"USD"', '"usd"', '"US"', '"USDX"', '"10.0.0.256"', '"::1"', '"1:2"', '"."', '"\\u001f"'),
    *('"2024-01-15"', '"2024-01-15T10:30:00"', '"2024-01-15 10:30:00Z"', '"2024-01-15T10:30:00z"'),
    *('"2024-02-30T25:61:61+99:99"', '"2024-01-15T10:30:00.1234567890Z"', '"2024-1-15T10:30:00Z"'),
    f'"{"a" * 64}"',
    f'"{"a" * 65}"',
]


def spelled(record: dict[str, object], rng: Random, share: float = 0.5) -> bytes:
    """A record as JSON, in which a share of the characters of its strings are escaped by their numbers."""

    def string(text: str) -> str:
        return f'"{"".join(_escaped(char, rng) if rng.random() < share else _plain(char) for char in text)}"'

    tokens = {
        string(name): string(value) if isinstance(value, str) else json.dumps(value)
        for name, value in record.items()
    }
    return ("{" + ",".join(f"{name}:{token}" for name, token in tokens.items()) + "}").encode()


def _plain(char: str) -> str:
    return char if char >= " " and char not in '"\\' else json.dumps(char)[1:-1]


def _escaped(char: str, rng: Random) -> str:
    digits = char.encode("utf-16-be").hex()
    units = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    return "".join(f"\\u{rng.choice([unit, unit.upper()])}" for unit in units)


def good_record(rng: Random) -> dict[str, str]:
    """Field -> JSON token of a record that keeps the shape."""
    return {name: rng.choice(GOOD[name]) for name in FIELDS if name in REQUIRED or rng.random() < 0.5}


def any_record(rng: Random) -> dict[str, str]:
    """A good record, or one with a mutation that usually breaks it."""
    record = good_record(rng)
    name = rng.choice(FIELDS)
    match rng.choice(["keep", "drop", "retype", "retype", "edit", "edit", "extra"]):
        case "drop":
            record.pop(name, None)
        case "retype":
            record[name] = rng.choice(ODD_TOKENS)
        case "edit" if name in FORMS:
            text = _edited(json.loads(record.get(name, '"1"')), rng)
            record[name] = json.dumps(text, ensure_ascii=False)
        case "extra":
            record[rng.choice(["ammount", "Amount", "x", ""])] = rng.choice(ODD_TOKENS)
    return record


def _edited(text: str, rng: Random) -> str:
    """A text with one character put in, or taken out, anywhere."""
    at = rng.randint(0, len(text))
    added = rng.choice(["", *"aZ0 -_.:+/T~é"])
    return text[:at] + added + text[at if added else at + 1 :]


good_records = st.randoms().map(good_record)
any_records = st.randoms().map(any_record)


def as_json(record: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {token}' for name, token in record.items()) + "}"


def typed_records(record: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Records of a class, from its annotations and nothing else."""
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: _values(field.type) for field in info.fields}
    return st.fixed_dictionaries(fields).map(lambda values: record(**values))


def _values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    return _STRATEGIES[type(kind)](kind)


_STRATEGIES: dict[type[inspect.Type], Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.UnionType: lambda kind: st.one_of([_values(part) for part in kind.types]),
    inspect.NoneType: lambda _: st.none(),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.EnumType: lambda kind: st.sampled_from(list(kind.cls)),
    inspect.IntType: lambda kind: st.integers(
        -(2**62) if kind.ge is None else kind.ge, 2**62 if kind.le is None else kind.le
    ),
    inspect.FloatType: lambda kind: st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False),
    inspect.StrType: lambda kind: st.text(
        _CHARACTERS, min_size=kind.min_length or 0, max_size=kind.max_length
    ),
    inspect.ListType: lambda kind: st.lists(_values(kind.item_type), max_size=3),
    inspect.DictType: lambda kind: st.dictionaries(
        _values(kind.key_type), _values(kind.value_type), max_size=3
    ),
    inspect.StructType: lambda kind: typed_records(kind.cls),
}
_CHARACTERS = st.characters(exclude_categories=["Cs"])
