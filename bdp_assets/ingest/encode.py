"""Source columns to contract fields, and those to canonical JSON: Polars expressions, no row at a time.

Canonical: fields in the contract's order, absent ones left out, no spaces, amounts as exact decimal literals.
What the contract will refuse travels as the source has it (a text where a number belongs stays a text):
it shall be refused, counted and seen; nothing is mended here.
"""

from __future__ import annotations

import polars as pl

from bdp_assets.contracts.money import BASE_CURRENCY, CURRENCIES
from bdp_assets.ingest.mapping import (
    AmountSource,
    ColumnSource,
    ConstantSource,
    Fields,
    MappingError,
    Text,
    TextSource,
    TimeSource,
)

RFC3339_UTC = "%Y-%m-%dT%H:%M:%S%.3fZ"
JSON_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
NEAR = 1e-9
"""A float is taken for the decimal it was meant to be if it is this near, relative to its size."""


def value(fields: Fields, schema: pl.Schema) -> pl.Expr:
    """The JSON text of one row."""
    members = []
    for name in Fields.model_fields:
        source = getattr(fields, name)
        if isinstance(source, AmountSource):
            members.append(_number_member(name, amount(source, fields.currency, schema)))
        elif isinstance(source, TimeSource):
            members.append(_text_member(name, time_text(source, schema)))
        elif isinstance(source, TextSource | ConstantSource):
            members.append(_text_member(name, text(source, schema)))
        elif isinstance(source, ColumnSource):
            members.append(_number_member(name, _number(source, schema)))
    return pl.lit("{") + pl.concat_str(members, separator=",", ignore_nulls=True) + pl.lit("}")


def text(source: Text, schema: pl.Schema) -> pl.Expr:
    """Text of a field. Raises MappingError for a column of floats: 596.0 is not what its owner calls it."""
    if isinstance(source, ConstantSource):
        return pl.lit(source.constant)
    if schema[source.column].is_float():
        raise MappingError(
            f"{source.column} holds decimal numbers; ids and codes must be text or whole numbers."
        )
    plain = pl.col(source.column).cast(pl.String)
    named = pl.lit(source.prefix) + (plain.replace(source.values) if source.values else plain)
    return named if source.default is None else named.fill_null(source.default)


def moment(source: TimeSource, schema: pl.Schema) -> pl.Expr:
    """The field as Datetime(ms, UTC), null where it can not be read.

    Raises MappingError if the mapping must say more of it.
    """
    column, dtype = pl.col(source.column), schema[source.column]
    if source.unit is not None:
        parsed = pl.from_epoch(column.cast(pl.Int64, strict=False), time_unit=source.unit)
        return parsed.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    if dtype == pl.String:
        return _parsed(column, source)
    if not dtype.is_temporal():
        raise MappingError(f"{source.column} holds {dtype}: say what it counts since 1970, as in `unit: ms`.")
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return column.dt.convert_time_zone("UTC").cast(pl.Datetime("ms", "UTC"))
    return _in_zone(column.cast(pl.Datetime("us")), source)


def _parsed(column: pl.Expr, source: TimeSource) -> pl.Expr:
    if source.format is None:
        return column.str.to_datetime("%+", time_unit="ms", time_zone="UTC", strict=False)
    if "%z" in source.format or "%:z" in source.format or "%#z" in source.format:
        return column.str.to_datetime(source.format, time_unit="ms", time_zone="UTC", strict=False)
    return _in_zone(column.str.to_datetime(source.format, time_unit="us", strict=False), source)


def _in_zone(naive: pl.Expr, source: TimeSource) -> pl.Expr:
    if source.time_zone is None:
        raise MappingError(
            f"{source.column} does not say its time zone: add it to the mapping, as in `time_zone: UTC`."
        )
    # Of an hour that a clock change repeats, the first; an hour that it skips never was.
    local = naive.dt.replace_time_zone(source.time_zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC").cast(pl.Datetime("ms", "UTC"))


def time_text(source: TimeSource, schema: pl.Schema) -> pl.Expr:
    """RFC 3339 text: as it is in the source if it is that already, else in UTC with milliseconds."""
    as_it_is = pl.col(source.column).cast(pl.String)
    if schema[source.column] == pl.String and source.format is None and source.unit is None:
        return as_it_is
    return pl.coalesce(moment(source, schema).dt.strftime(RFC3339_UTC), as_it_is)


def amount(source: AmountSource, currency: Text | None, schema: pl.Schema) -> pl.Expr:
    """Decimal text in major units."""
    column, dtype = pl.col(source.column), schema[source.column]
    if source.unit == "minor":
        number = column.cast(pl.Float64, strict=False)
        # Where it is no whole number it must not travel as one: it would be taken for major units.
        return _exact(number, _scale(currency, schema), column.cast(pl.String) + pl.lit(" minor units"))
    if dtype.is_float():
        scale = _scale(currency, schema)
        return _exact(column * scale, scale, column.cast(pl.String))
    return column.cast(pl.String)


def _exact(minor: pl.Expr, scale: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
    """Decimal text of (nearly) whole minor units; `otherwise` where they are not whole."""
    whole = minor.round()
    near = (minor - whole).abs() <= NEAR * pl.max_horizontal(minor.abs(), 1.0)
    units = pl.when(near).then(whole).cast(pl.Int64, strict=False)
    return pl.coalesce(decimal_text(units, scale), otherwise)


def decimal_text(minor: pl.Expr, scale: pl.Expr) -> pl.Expr:
    """12345 minor units as "123.45" (scale 100) or "12345" (scale 1); null stays null."""
    sign = pl.when(minor < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    major = sign + (minor.abs() // scale).cast(pl.String)
    # One more digit in front keeps the zeros: 5 + 100 -> "105" -> "05".
    decimals = (minor.abs() % scale + scale).cast(pl.String).str.slice(1)
    return pl.when(scale == 1).then(major).otherwise(major + "." + decimals)


def _scale(currency: Text | None, schema: pl.Schema) -> pl.Expr:
    """Minor units in one major unit, by the row's currency."""
    scales = {code: 10**known.exponent for code, known in CURRENCIES.items()}
    if not isinstance(currency, TextSource):
        code = currency.constant if currency else BASE_CURRENCY
        return pl.lit(scales.get(code, scales[BASE_CURRENCY]), dtype=pl.Int64)
    codes = text(currency, schema).fill_null(BASE_CURRENCY)
    return codes.replace_strict(scales, default=scales[BASE_CURRENCY], return_dtype=pl.Int64)


def _number(source: ColumnSource, schema: pl.Schema) -> pl.Expr:
    column = pl.col(source.column)
    # Files that know no null write NaN for it.
    return (column.fill_nan(None) if schema[source.column].is_float() else column).cast(pl.String)


def _number_member(name: str, literal: pl.Expr) -> pl.Expr:
    plain = pl.lit(f'"{name}":') + literal
    return pl.when(literal.str.contains(JSON_NUMBER)).then(plain).otherwise(_text_member(name, literal))


def _text_member(name: str, content: pl.Expr) -> pl.Expr:
    """`"name":"content"` with JSON's escapes; null where the content is."""
    member = pl.struct(content.alias(name)).struct.json_encode().str.slice(1).str.strip_suffix("}")
    return pl.when(content.is_not_null()).then(member)
