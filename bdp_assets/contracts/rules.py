"""What a schema can not say: one list of semantic rules, applied by the decoder in its order.

A rule refuses a record, or only marks it. What a rule has looked up (an instant, a currency, minor units) the
rules behind it rely on, so they are judged in one go.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import astuple

from bdp_assets.contracts import pan
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.money import BASE_CURRENCY, CURRENCIES, MAX_AMOUNT_MINOR, minor_units
from bdp_assets.contracts.wire import BOUNDS, FORMS, RawTransaction, Read

MAX_AHEAD_MS = 5 * 60_000
VERY_OLD_MS = 90 * 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rule(NamedTuple):
    """`code` is stable and for programs, `says` is for people: what is wrong with a field."""

    code: str
    says: str
    marks: bool = False

    def broken_by(self, field: str) -> ContractError:
        return ContractError(self.code, field, f"{field} {self.says}")


_NO_CARD_NUMBER = Rule("pan_in_field", pan.ADVICE)
_ONE_VALUE_A_FIELD = Rule("duplicate_field", "is there more than once. Send it once.")
_REAL_TIME = Rule("timestamp_invalid", "is no date and time since 1970 (no leap seconds).")
_NOT_AHEAD = Rule("timestamp_future", "is over 5 minutes ahead. Check the clock and the offset.")
_KNOWN_CURRENCY = Rule("currency_unknown", "is no currency with a rate (currencies.csv).")
_WHOLE_MINOR_UNITS = Rule("amount_excess_digits", "has more decimals than its currency.")
_BELOW_MAXIMUM = Rule("amount_too_large", f"is above {MAX_AMOUNT_MINOR:,} minor units.")
_RECENT = Rule("very_old", "is over 90 days before the message arrived.", marks=True)
SEMANTIC_RULES = (
    _NO_CARD_NUMBER,
    _ONE_VALUE_A_FIELD,
    _REAL_TIME,
    _NOT_AHEAD,
    _KNOWN_CURRENCY,
    _WHOLE_MINOR_UNITS,
    _BELOW_MAXIMUM,
    _RECENT,
)


class Judged(Struct, frozen=True):
    """What a record that keeps the rules means; `marks`: the codes of those that mark it."""

    ts_ms: int
    currency: str
    amount_minor: int
    marks: list[str]


def judge(value: bytes, read: Read, received_ms: int) -> Judged:
    """Applies every rule to a value and what was read of it; `received_ms` (UTC epoch milliseconds) is now.

    Raises ContractError for the first rule that refuses.
    """
    raw = read.raw
    if pan.may_hold_pan(read.strings.encode()) and (name := _with_card_number(raw)) is not None:
        raise _NO_CARD_NUMBER.broken_by(name)
    if value.count(b'"') != _quotes(raw) and (name := _twice(value)) is not None:
        raise _ONE_VALUE_A_FIELD.broken_by(name)
    ts_ms = epoch_ms(raw.timestamp)
    if ts_ms is None:
        raise _REAL_TIME.broken_by("timestamp")
    if ts_ms > received_ms + MAX_AHEAD_MS:
        raise _NOT_AHEAD.broken_by("timestamp")
    currency = raw.currency or BASE_CURRENCY
    if currency not in CURRENCIES:
        raise _KNOWN_CURRENCY.broken_by("currency")
    amount_minor = minor_units(read.amount, CURRENCIES[currency].exponent)
    if amount_minor is None:
        raise _WHOLE_MINOR_UNITS.broken_by("amount")
    if amount_minor > MAX_AMOUNT_MINOR:
        raise _BELOW_MAXIMUM.broken_by("amount")
    marks = [_RECENT.code] if ts_ms < received_ms - VERY_OLD_MS else []
    return Judged(ts_ms, currency, amount_minor, marks)


def _with_card_number(raw: RawTransaction) -> str | None:
    return next((name for name in FORMS if pan.holds_pan(getattr(raw, name) or "")), None)


def _quotes(raw: RawTransaction) -> int:
    """How many there are where each field comes once: two of a key, two of a string.

    There is none inside a string, since no form allows `"`. Where a value has more, they are of nulls or of
    keys that come again.
    """
    present = len(FORMS) + len(BOUNDS) - astuple(raw).count(None)
    numbers = 1 + (raw.latitude is not None) + (raw.longitude is not None)
    return 2 * (2 * present - numbers)


def _twice(value: bytes) -> str | None:
    """The first key that comes again."""
    seen: set[str] = set()
    for name, _ in json.loads(value, parse_int=str, parse_float=str, object_pairs_hook=list):
        if name in seen:
            return str(name)
        seen.add(name)
    return None


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
    ms = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
    return ms if ms >= 0 else None
