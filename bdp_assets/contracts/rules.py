"""What a schema can not say: one list of semantic rules, applied by the decoder in its order.

A rule looks at the facts of a record whose shape is right and names the field at fault, or None. It refuses
the record, or only marks it (`marks=True`). A rule may rely on what the rules before it have filled in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import astuple

from bdp_assets.contracts import pan
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.money import BASE_CURRENCY, CURRENCIES, MAX_AMOUNT_MINOR, minor_units
from bdp_assets.contracts.wire import BOUNDS, FORMS, RawTransaction

MAX_AHEAD_MS = 5 * 60_000
VERY_OLD_MS = 90 * 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Facts(Struct):
    """A record while it is judged: what came in (see `wire.read`), and what the rules made of it so far."""

    value: bytes
    raw: RawTransaction
    amount: str
    strings: str
    received_ms: int
    currency: str = BASE_CURRENCY
    ts_ms: int = 0
    amount_minor: int = 0


class Rule(NamedTuple):
    name: str
    code: str
    fault: Callable[[Facts], str | None]
    says: str
    marks: bool = False


def judge(facts: Facts) -> list[str]:
    """Applies every rule; returns the codes of the marks.

    Raises ContractError for the first rule that refuses.
    """
    marks = []
    for rule in SEMANTIC_RULES:
        field = rule.fault(facts)
        if field is None:
            continue
        if not rule.marks:
            raise ContractError(rule.code, field, f"{field} {rule.says}")
        marks.append(rule.code)
    return marks


def _no_card_number(facts: Facts) -> str | None:
    if not pan.may_hold_pan(facts.strings.encode()):
        return None
    return next((name for name in FORMS if pan.holds_pan(getattr(facts.raw, name) or "")), None)


def _one_value_a_field(facts: Facts) -> str | None:
    """Counts quotes: two of a key, two of a string, and none inside one, since no form allows `"`.

    Where there are more, they are of nulls or of keys that come again, and the keys are read one by one.
    """
    raw = facts.raw
    present = len(FORMS) + len(BOUNDS) - astuple(raw).count(None)
    numbers = 1 + (raw.latitude is not None) + (raw.longitude is not None)
    if facts.value.count(b'"') == 2 * (2 * present - numbers):
        return None
    return repeated_field(facts.value)


def repeated_field(value: bytes) -> str | None:
    """A name that the JSON object has more than once: which of its values counts, nobody can say."""
    seen: set[str] = set()
    for name, _ in json.loads(value, parse_int=str, parse_float=str, object_pairs_hook=list):
        if name in seen:
            return str(name)
        seen.add(name)
    return None


def _real_time(facts: Facts) -> str | None:
    instant = epoch_ms(facts.raw.timestamp)
    if instant is None:
        return "timestamp"
    facts.ts_ms = instant
    return None


def _not_ahead(facts: Facts) -> str | None:
    return "timestamp" if facts.ts_ms > facts.received_ms + MAX_AHEAD_MS else None


def _known_currency(facts: Facts) -> str | None:
    facts.currency = facts.raw.currency or BASE_CURRENCY
    return None if facts.currency in CURRENCIES else "currency"


def _whole_minor_units(facts: Facts) -> str | None:
    minor = minor_units(facts.amount, CURRENCIES[facts.currency].exponent)
    if minor is None:
        return "amount"
    facts.amount_minor = minor
    return None


def _below_maximum(facts: Facts) -> str | None:
    return "amount" if facts.amount_minor > MAX_AMOUNT_MINOR else None


def _recent(facts: Facts) -> str | None:
    return "timestamp" if facts.ts_ms < facts.received_ms - VERY_OLD_MS else None


SEMANTIC_RULES = (
    Rule("no_card_number", "pan_in_field", _no_card_number, pan.ADVICE),
    Rule(
        "one_value_a_field", "duplicate_field", _one_value_a_field, "is there more than once. Send it once."
    ),
    Rule("real_time", "timestamp_invalid", _real_time, "is no date and time since 1970 (no leap seconds)."),
    Rule(
        "not_ahead",
        "timestamp_future",
        _not_ahead,
        "is over 5 minutes ahead. Check the clock and the offset.",
    ),
    Rule(
        "known_currency", "currency_unknown", _known_currency, "is no currency with a rate (currencies.csv)."
    ),
    Rule(
        "whole_minor_units",
        "amount_excess_digits",
        _whole_minor_units,
        "has more decimals than its currency.",
    ),
    Rule("below_maximum", "amount_too_large", _below_maximum, f"is above {MAX_AMOUNT_MINOR:,} minor units."),
    Rule("recent", "very_old", _recent, "is over 90 days before the message arrived.", marks=True),
)


def epoch_ms(timestamp: str) -> int | None:
    """UTC milliseconds since 1970, rounded down, of a text in the form of `timestamp`.

    None: no such date, time or offset, or before 1970. Leap seconds (:60) have no epoch time and are none.
    """
    # What Python takes and RFC 3339 does not (24:00, an offset of +05:75) differs between its versions.
    if timestamp[11:13] == "24" or (timestamp[-1] != "Z" and timestamp[-2:] > "59"):
        return None
    try:
        since = datetime.fromisoformat(timestamp) - _EPOCH
    except ValueError:
        return None
    ms = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return ms if ms >= 0 else None
