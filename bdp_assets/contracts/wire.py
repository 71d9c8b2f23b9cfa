"""Shape of `transactions-raw-v1` in Python: the typed struct, and the form of each field.

`schemas/transactions-raw-v1.schema.json` is the contract; a property test holds this module, that file and
`frames.RawTransactionFrame` to the same verdict on every record.
"""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

Text = Annotated[str, Meta(min_length=1)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class RawTransaction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A transaction as it travels; null and absent mean the same in an optional field.

    `amount` keeps its decimal text. The struct checks types, numbers and that no string is empty; the forms
    of the strings (`FORMS`) are checked in one go, which costs a fifth of a pattern a field.
    """

    transaction_id: Text
    customer_id: Text
    amount: Raw
    timestamp: Text
    merchant_id: Text | None = None
    currency: Text | None = None
    merchant_category: Text | None = None
    channel: Text | None = None
    country: Text | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    device_id: Text | None = None
    ip: Text | None = None
    type: Text | None = None


class Form(NamedTuple):
    """Form of a string field: `pattern` is for the whole text, in any regex dialect; `says` is for people."""

    pattern: str
    says: str


class Bounds(NamedTuple):
    """Range of a number field, both ends included; `high` None: no bound."""

    low: int
    high: int | None
    says: str


_ID = Form(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", "1 to 64 letters, digits or . _ : - (not first)")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_IPV6 = rf"(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:[0-9A-Fa-f]{{1,4}}|{_IPV4})?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_OFFSET = r"(?:Z|[+-][0-9]{2}:[0-9]{2})"

PURCHASE = "purchase"
ADJUSTMENTS = ("refund", "reversal")
"""Types that take a purchase back. They have a contract and a topic of their own."""

# The three whose spelling is not their meaning come first: `strings_of` is split there (see
# `transaction._body_hash`).
FORMS = {
    "timestamp": Form(
        f"{_DATE}T{_TIME}{_OFFSET}", "an RFC 3339 time with offset, such as 2024-01-15T10:30:00Z"
    ),
    "currency": Form(r"[A-Z]{3}", "an ISO 4217 code in capitals, such as USD"),
    "type": Form(PURCHASE, f"{PURCHASE}, or left out"),
    "transaction_id": _ID,
    "customer_id": _ID,
    "merchant_id": _ID,
    "merchant_category": Form(
        r"[A-Za-z0-9][A-Za-z0-9 .,_:;&/()'+-]{0,63}",
        "1 to 64 letters, digits, spaces or . , _ : ; & / ( ) ' + -",
    ),
    "channel": Form(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "1 to 32 letters, digits, _ or - (not first)"),
    "country": Form(r"[A-Z]{2}", "an ISO 3166-1 alpha-2 code in capitals, such as US"),
    "device_id": _ID,
    "ip": Form(rf"(?:{_IPV4}|{_IPV6})", "an IPv4 or IPv6 address"),
}
BOUNDS = {
    "amount": Bounds(0, None, "0 or more"),
    "latitude": Bounds(-90, 90, "from -90 to 90 degrees"),
    "longitude": Bounds(-180, 180, "from -180 to 180 degrees"),
}
REQUIRED = frozenset({"transaction_id", "customer_id", "amount", "timestamp"})

SEPARATOR = "\x1f"
"""Between the strings of `strings_of`; no form allows it."""

_STRINGS = re.compile(
    SEPARATOR.join(f"(?:{form.pattern})" + ("" if name in REQUIRED else "?") for name, form in FORMS.items())
)
_DIGITS = frozenset("0123456789")
_decode = msgspec.json.Decoder(RawTransaction).decode


def read(value: bytes) -> tuple[RawTransaction, str, str] | None:
    """The struct, the text of its amount and its strings joined; the fast path of every transaction.

    None: the shape is wrong, and `refusal.refusal` knows how.
    """
    try:
        raw = _decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    amount = str(raw.amount, "latin-1")
    strings = strings_of(raw)
    if _STRINGS.fullmatch(strings) is None or not (amount[0] in _DIGITS or _is_zero(amount)):
        return None
    return raw, amount, strings


def strings_of(raw: RawTransaction) -> str:
    return SEPARATOR.join(
        (
            raw.timestamp,
            raw.currency or "",
            raw.type or "",
            raw.transaction_id,
            raw.customer_id,
            raw.merchant_id or "",
            raw.merchant_category or "",
            raw.channel or "",
            raw.country or "",
            raw.device_id or "",
            raw.ip or "",
        )
    )


def _is_zero(token: str) -> bool:
    """Whether a JSON token that begins with no digit is -0 in any spelling.

    No other such token is an amount.
    """
    mantissa = token.lower().partition("e")[0]
    return mantissa[0] == "-" and not mantissa.strip("-0.")
