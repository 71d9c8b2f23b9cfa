"""Which values the contract surely takes, for whole columns: what is left is decoded one by one.

Only ever a quick yes: a value in the plain spelling that `ingest.encode` gives, without a card number's many
digits. Of all others `contracts.transaction` decides, and says why. A property test holds the two together.
"""

from __future__ import annotations

import polars as pl

from bdp_assets.contracts.money import BASE_CURRENCY, CURRENCIES
from bdp_assets.contracts.pan import SHORTEST
from bdp_assets.contracts.rules import MAX_AHEAD_MS
from bdp_assets.contracts.wire import FORMS, REQUIRED, RawTransaction

_PLACES = CURRENCIES[BASE_CURRENCY].exponent
_TIME = (
    r"(?:19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
)
_AMOUNT = rf"(?:0|[1-9][0-9]{{0,8}})(?:\.[0-9]{{1,{_PLACES}}})?"
_DEGREES = {
    "latitude": r"-?(?:[1-8]?[0-9])(?:\.[0-9]{1,17})?",
    "longitude": r"-?(?:[1-9]?[0-9]|1[0-7][0-9])(?:\.[0-9]{1,17})?",
}
_MANY_DIGITS = rf"[0-9](?:[ -]*[0-9]){{{SHORTEST - 1}}}"


def surely_valid(value: pl.Expr, timestamp: pl.Expr, *, now_ms: int) -> pl.Expr:
    """Boolean, never null. `value`: canonical JSON; `timestamp`: the text that it has as its timestamp."""
    ts_ms = timestamp.str.to_datetime("%+", time_unit="ms", time_zone="UTC", strict=False).dt.epoch("ms")
    in_time = ts_ms.is_between(0, now_ms + MAX_AHEAD_MS)
    shape = value.str.contains(_SHAPE) & ~value.str.contains(_MANY_DIGITS)
    return (shape & in_time).fill_null(value=False)


def _member(name: str) -> str:
    if name == "amount":
        return rf'"amount":{_AMOUNT}'
    if name in _DEGREES:
        return f'"{name}":{_DEGREES[name]}'
    if name == "currency":
        plain = sorted(code for code, known in CURRENCIES.items() if known.exponent == _PLACES)
        return f'"currency":"(?:{"|".join(plain)})"'
    return f'"{name}":"(?:{_TIME if name == "timestamp" else FORMS[name].pattern})"'


def _shape() -> str:
    members = [
        f"{',' if place else ''}{_member(name)}" if name in REQUIRED else f"(?:,{_member(name)})?"
        for place, name in enumerate(RawTransaction.__struct_fields__)
    ]
    return r"\A\{" + "".join(members) + r"\}\z"


_SHAPE = _shape()
