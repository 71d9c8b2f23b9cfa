"""Money as integers: decimal text to minor units, and to minor units of one base currency.

Floats never touch an amount, so that sums are exact and equal on every engine.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

BASE_CURRENCY = "USD"
MAX_AMOUNT_MINOR = 999_999_999_999
"""Contract maximum in minor units: the twelve digits that ISO 8583 gives a transaction amount."""

_MAX_DIGITS = len(str(MAX_AMOUNT_MINOR))
_POWERS: tuple[int, ...] = tuple(10**places for places in range(_MAX_DIGITS + 1))
_CURRENCIES = Path(__file__).with_name("currencies.csv")


class Currency(NamedTuple):
    """`exponent`: decimal places. One minor unit is worth `numerator/denominator` base minor units."""

    exponent: int
    numerator: int
    denominator: int


def load_currencies(path: Path = _CURRENCIES) -> tuple[str, Mapping[str, Currency]]:
    """Version of the rate table (its name and a hash of the file) and the currencies by ISO 4217 code."""
    content = path.read_bytes()
    lines = content.decode().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    scales = {row["currency"]: 10 ** int(row["exponent"]) for row in rows}
    currencies = {}
    for row in rows:
        code = row["currency"]
        rate = Fraction(int(row["rate_e9"]), 10**9) * scales[BASE_CURRENCY] / scales[code]
        currencies[code] = Currency(int(row["exponent"]), rate.numerator, rate.denominator)
    name = lines[0].removeprefix("# version:").strip()
    return f"{name}-{blake2b(content, digest_size=4).hexdigest()}", currencies


RATES_VERSION, CURRENCIES = load_currencies()


def minor_units(number: str, exponent: int) -> int | None:
    """Minor units of a JSON number, 0 or more; None when it has more decimal places than `exponent`.

    Zeros at the end carry no value and do not count (1500.000 is 1500). What is above the contract maximum
    comes back as maximum + 1, whatever its size: 1e999999999 costs no more than 1.
    """
    whole, _, fraction = number.partition(".")
    digits, places = whole + fraction, exponent - len(fraction)
    if places >= 0 and len(digits) + places <= _MAX_DIGITS and digits.isdecimal():
        return int(digits) * _POWERS[places]
    return _minor_units(number, exponent)


def _minor_units(number: str, exponent: int) -> int | None:
    """The same for any spelling: digits x 10^shift, where the count of digits decides what is too much."""
    mantissa, _, power = number.lower().partition("e")
    whole, _, fraction = mantissa.removeprefix("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return 0
    shift = _bounded(power) + exponent - len(fraction) + len(digits) - len(significant)
    if shift < 0:
        return None
    if len(significant) + shift > _MAX_DIGITS:
        return MAX_AMOUNT_MINOR + 1
    return int(significant) * _POWERS[shift]


def _bounded(power: str) -> int:
    """The exponent of a number; one of ten digits and more is only very large or very small."""
    digits = power.lstrip("+-").lstrip("0")
    size = int(digits or "0") if len(digits) < 10 else 10**10
    return -size if power.startswith("-") else size


def base_minor_units(text: str) -> int:
    """Minor units of the base currency of a decimal text as a person types it, such as 5 or 5.00.

    Raises ValueError: the message says what is wrong, not the text.
    """
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII):
        raise ValueError("an amount is digits with a point, such as 5.00")
    exponent = CURRENCIES[BASE_CURRENCY].exponent
    minor = minor_units(text, exponent)
    if minor is None:
        raise ValueError(f"{BASE_CURRENCY} has {exponent} decimal places")
    if minor > MAX_AMOUNT_MINOR:
        raise ValueError(f"the most is {MAX_AMOUNT_MINOR / 10**exponent:.{exponent}f}")
    return minor


def to_base_minor(minor: int, currency: str) -> int:
    """Minor units of the base currency, rounded half to even. Raises KeyError: a currency without a rate."""
    _, numerator, denominator = CURRENCIES[currency]
    quotient, remainder = divmod(minor * numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient
