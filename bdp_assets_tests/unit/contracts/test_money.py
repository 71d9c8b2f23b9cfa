from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.money import (
    BASE_CURRENCY,
    CURRENCIES,
    MAX_AMOUNT_MINOR,
    RATES_VERSION,
    base_minor_units,
    load_currencies,
    minor_units,
    to_base_minor,
)

DIGITS = st.text("0123456789", min_size=1, max_size=16)
NUMBERS = st.builds(
    lambda whole, fraction, power: (whole.lstrip("0") or "0") + fraction + power,
    DIGITS,
    st.just("") | DIGITS.map(lambda digits: f".{digits}"),
    st.just("") | st.integers(-30, 30).map(lambda power: f"e{power}") | st.sampled_from(["E+2", "e-02"]),
)


@given(NUMBERS, st.sampled_from([0, 2, 3]))
def test_minor_units_are_those_of_exact_decimals(number: str, exponent: int) -> None:
    exact = Fraction(Decimal(number)) * 10**exponent
    minor = minor_units(number, exponent)
    if exact.denominator != 1:
        assert minor is None
    else:
        assert minor == min(int(exact), MAX_AMOUNT_MINOR + 1)


@given(st.integers(0, MAX_AMOUNT_MINOR), st.sampled_from(sorted(CURRENCIES)))
def test_base_amounts_are_rounded_half_even(minor: int, currency: str) -> None:
    _, numerator, denominator = CURRENCIES[currency]
    exact = Fraction(minor * numerator, denominator)
    assert to_base_minor(minor, currency) == round(exact)
    assert to_base_minor(minor, currency) < 2**53  # sums of a few thousand stay exact in doubles


def test_zeros_in_front_are_no_digits() -> None:
    assert minor_units("0.00000000000015e14", 2) == 1500


def test_rounding_by_hand() -> None:
    # 1 JPY = 0.0067 USD: 50 yen are 33.5 cents, 150 yen are 100.5 cents.
    assert CURRENCIES["JPY"] == (0, 67, 100)
    assert [to_base_minor(yen, "JPY") for yen in (50, 150)] == [34, 100]
    assert to_base_minor(1000, "KWD") == 325
    assert to_base_minor(10_000, "EUR") == 10_900
    assert Decimal("33.5").quantize(Decimal(1), ROUND_HALF_EVEN) == 34


def test_the_table_holds_what_it_should() -> None:
    assert CURRENCIES[BASE_CURRENCY] == (2, 1, 1)
    assert {currency.exponent for currency in CURRENCIES.values()} == {0, 2, 3}
    assert {code for code, currency in CURRENCIES.items() if currency.exponent == 3} == {
        *("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
    }
    assert all(currency.numerator > 0 for currency in CURRENCIES.values())


def test_a_changed_rate_changes_the_version(tmp_path: Path) -> None:
    changed = tmp_path / "currencies.csv"
    changed.write_text("# version: demo-1\ncurrency,exponent,rate_e9\nUSD,2,1000000000\nEUR,2,1100000000\n")
    version, currencies = load_currencies(changed)
    assert version.startswith("demo-1-")
    assert version != RATES_VERSION
    assert currencies["EUR"] == (2, 11, 10)
    with pytest.raises(KeyError):
        _ = currencies["JPY"]


@given(st.integers(0, MAX_AMOUNT_MINOR))
def test_an_amount_as_people_type_it_is_exact(minor: int) -> None:
    assert base_minor_units(f"{minor // 100}.{minor % 100:02}") == minor


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "digits"),
        ("-5", "digits"),
        ("5,00", "digits"),
        ("1e3", "digits"),
        ("nan", "digits"),
        (" 5", "digits"),
        ("\u0665", "digits"),
        ("5.001", "2 decimal places"),
        ("10000000000.00", "the most is 9999999999.99"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        base_minor_units(text)
