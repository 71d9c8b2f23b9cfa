"""Decimal text to minor units of the base currency, for whole columns: `contracts.money` as expressions."""

from __future__ import annotations

import polars as pl

from bdp_assets.contracts.money import BASE_CURRENCY, CURRENCIES, MAX_AMOUNT_MINOR
from bdp_assets.ingest import encode
from bdp_assets.ingest.mapping import Text, TextSource

_DECIMAL = r"^0*([0-9]{1,12})(?:\.([0-9]*?)0*)?$"
_PLACES = max(currency.exponent for currency in CURRENCIES.values())


def base_minor(amount: pl.Expr, currency: Text | None, schema: pl.Schema) -> pl.Expr:
    """Int64; null for what the contract refuses: more decimal places than the currency has, too much, below
    0, a currency without a rate. Numbers with an exponent (1e3) are null as well."""
    if isinstance(currency, TextSource):
        codes = encode.text(currency, schema).fill_null(BASE_CURRENCY)
        minor = _minor(amount, _by_code(codes, {c: known.exponent for c, known in CURRENCIES.items()}))
        numerator = _by_code(codes, {c: known.numerator for c, known in CURRENCIES.items()})
        denominator = _by_code(codes, {c: known.denominator for c, known in CURRENCIES.items()})
        return _rounded(minor, numerator, denominator)
    known = CURRENCIES.get(currency.constant if currency else BASE_CURRENCY)
    if known is None:
        return pl.lit(None, pl.Int64)
    minor = _minor(amount, pl.lit(known.exponent, pl.Int64))
    if known.numerator == known.denominator:
        return minor
    return _rounded(minor, pl.lit(known.numerator, pl.Int64), pl.lit(known.denominator, pl.Int64))


def _by_code(codes: pl.Expr, values: dict[str, int]) -> pl.Expr:
    return codes.replace_strict(values, default=None, return_dtype=pl.Int64)


def _minor(amount: pl.Expr, exponent: pl.Expr) -> pl.Expr:
    parts = amount.str.extract_groups(_DECIMAL)
    whole = parts.struct.field("1").cast(pl.Int64)
    decimals = parts.struct.field("2").fill_null("")
    # 5 of 0.5 is 5000 in the smallest unit that any currency has.
    smallest = decimals.str.pad_end(_PLACES, "0").cast(pl.Int64, strict=False)
    spare = pl.lit(10, pl.Int64).pow(_PLACES - exponent)
    minor = whole * pl.lit(10, pl.Int64).pow(exponent) + smallest // spare
    fits = (decimals.str.len_bytes() <= _PLACES) & (smallest % spare == 0) & (minor <= MAX_AMOUNT_MINOR)
    return pl.when(fits).then(minor)


def _rounded(minor: pl.Expr, numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Half to even, in 128 bits."""
    whole, divisor = minor.cast(pl.Int128) * numerator, denominator.cast(pl.Int128)
    quotient, twice = whole // divisor, 2 * (whole % divisor)
    up = (twice > divisor) | ((twice == divisor) & (quotient % 2 == 1))
    return (quotient + up.cast(pl.Int128)).cast(pl.Int64)
