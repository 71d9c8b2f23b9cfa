"""Pandera models of the lake's frames and of records on the wire, and their failures as a table.

The lake's models are derived from the records: dtypes, nulls, ranges, lengths, enumerations. Nothing is
coerced, and no column may be missing or too many. Importing this module loads pandas (seconds, 150 MB): not
for services or workers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pandera.polars as pa
import polars as pl
from msgspec import inspect
from pandera.errors import SchemaErrors

from bdp_assets.contracts import columns
from bdp_assets.contracts.records import (
    Adjustment,
    DeadLetter,
    EnrichedTransaction,
    Label,
    Prediction,
    ShadowScore,
    ValidatedTransaction,
)
from bdp_assets.contracts.wire import BOUNDS, FORMS, REQUIRED, RawTransaction

FAILURES = pl.Schema({"check": pl.String, "column": pl.String, "count": pl.UInt32, "example_row": pl.Int64})
_INFINITY = float("inf")
_WIRE_DTYPES = {
    name: pl.String() if name in FORMS else pl.Float64() for name in RawTransaction.__struct_fields__
}


def failures(model: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """What keeps `frame` from being what `model` says: one row a check and column, empty if nothing does.

    Columns `FAILURES`: the check, the column (null: the frame as a whole), how many rows, and the number of
    the first of them (null: the column as a whole). No values: a value may be a card number.
    """
    try:
        model.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return _summary(errors.failure_cases)
    return FAILURES.to_frame()


def _summary(cases: pl.DataFrame) -> pl.DataFrame:
    # Pandera gives a missing or unknown column's name as the value, and checks a column of the wrong type to
    # the end, with a crash for a result.
    whole_column = pl.col("check").str.starts_with("column_in_")
    mistyped = cases.filter(pl.col("check").str.starts_with("dtype("))["column"].implode()
    crashed = pl.col("column").is_in(mistyped) & ~pl.col("check").str.starts_with("dtype(")
    return (
        cases.filter(~crashed.fill_null(value=False))
        .with_columns(column=pl.when(whole_column).then("failure_case").otherwise("column"))
        .group_by("check", "column", maintain_order=True)
        .agg(count=pl.len(), example_row=pl.col("index").min())
        .cast(dict(FAILURES))  # type: ignore[arg-type]
    )


def _wire_column(name: str) -> pa.Column:
    if name in FORMS:
        check = pa.Check.str_matches(f"^(?:{FORMS[name].pattern})$", error="bad_format")
    else:
        low, high, _ = BOUNDS[name]
        check = pa.Check.in_range(low, _INFINITY if high is None else high, error="out_of_range")
    optional = name not in REQUIRED
    return pa.Column(_WIRE_DTYPES[name], check, nullable=optional, required=not optional)


RawTransactionFrame = pa.DataFrameSchema({name: _wire_column(name) for name in _WIRE_DTYPES}, strict=True)
"""Shape of decoded raw transactions, in the columns that `wire_frame` makes."""


def wire_frame(records: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Decoded JSON objects as a frame with a column a field, each of the type that its values have.

    Numbers are Float64 (JSON has one kind), absent is null. A column with values of several kinds, or with
    objects, arrays or booleans, is Object, which no model takes.
    """
    names = dict.fromkeys(name for record in records for name in record)
    return pl.DataFrame([_wire_series(name, [record.get(name) for record in records]) for name in names])


def _wire_series(name: str, values: list[Any]) -> pl.Series:
    present = [value for value in values if value is not None]
    if not present:
        return pl.Series(name, values, _WIRE_DTYPES.get(name, pl.Null()))
    if all(isinstance(value, str) for value in present):
        # A lone surrogate, which JSON can spell and no text can hold, becomes a `?`, which no form allows.
        return pl.Series(name, [v if v is None else v.encode(errors="replace").decode() for v in values])
    if any(isinstance(value, bool | str | dict | list) for value in present):
        return pl.Series(name, values, pl.Object)
    return pl.Series(name, [None if value is None else _double(value) for value in values], pl.Float64)


def _double(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer beyond doubles
        return _INFINITY if number > 0 else -_INFINITY


_FINITE = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).is_finite()), error="finite")


def lake_model(
    record: type[msgspec.Struct], schema: pl.Schema, *, time_ms: str, unique: list[str] | None = None
) -> pa.DataFrameSchema:
    """Model of a table of `record`s: `schema` (see `columns`), where `time_ms` gives each row's event date.

    Columns that are not the record's own are features, and finite.
    """
    types = columns.field_types(record)
    made = {name: _lake_column(dtype, types.get(name)) for name, dtype in schema.items()}
    made[columns.EVENT_DATE] = pa.Column(pl.Date())
    day = pa.Check(
        lambda data: data.lazyframe.select(columns.event_date(time_ms) == pl.col(columns.EVENT_DATE)),
        error=f"event_date is the UTC day of {time_ms}",
    )
    return pa.DataFrameSchema(made, checks=day, strict=True, unique=unique)


def _lake_column(dtype: pl.DataType, type_and_null: tuple[inspect.Type, bool] | None) -> pa.Column:
    if type_and_null is None:
        return pa.Column(dtype, _FINITE)
    kind, null = type_and_null
    return pa.Column(dtype, _checks(kind), nullable=null)


def _checks(kind: inspect.Type) -> list[pa.Check]:
    checks = []
    if isinstance(kind, inspect.EnumType):
        checks.append(pa.Check.isin([member.value for member in kind.cls]))
    if isinstance(kind, inspect.IntType | inspect.FloatType) and (kind.ge is not None or kind.le is not None):
        low = -_INFINITY if kind.ge is None else kind.ge
        checks.append(pa.Check.in_range(low, _INFINITY if kind.le is None else kind.le))
    if isinstance(kind, inspect.StrType) and kind.max_length is not None:
        checks.append(pa.Check.str_length(kind.min_length, kind.max_length))
    return checks


_ONCE = ["customer_id", "transaction_id"]
_CLAIMED_ONCE = [*_ONCE, "apply_seq"]
"""As the stream serves it: a retired id may come again, as another transaction."""
ValidatedFrame = lake_model(ValidatedTransaction, columns.VALIDATED, time_ms="ts_ms")
QuarantinedFrame = lake_model(DeadLetter, columns.QUARANTINED, time_ms="received_ms")
PredictionFrame = lake_model(Prediction, columns.PREDICTIONS, time_ms="ts_ms", unique=_CLAIMED_ONCE)
ScoreFrame = lake_model(Prediction, columns.SCORES, time_ms="ts_ms", unique=_ONCE)
ShadowScoreFrame = lake_model(
    ShadowScore, columns.SHADOW_SCORES, time_ms="ts_ms", unique=[*_ONCE, "challenger_version"]
)
LabelFrame = lake_model(Label, columns.LABELS, time_ms="known_at_ms")
AdjustmentFrame = lake_model(Adjustment, columns.ADJUSTMENTS, time_ms="ts_ms")


def enriched_frame(feature_names: Sequence[str]) -> pa.DataFrameSchema:
    """Model of the `enriched` table with those features."""
    schema = columns.enriched(feature_names)
    return lake_model(EnrichedTransaction, schema, time_ms="ts_ms", unique=_CLAIMED_ONCE)


def features_frame(feature_names: Sequence[str]) -> pa.DataFrameSchema:
    """Model of the `features` table with those features."""
    return lake_model(EnrichedTransaction, columns.features(feature_names), time_ms="ts_ms", unique=_ONCE)
