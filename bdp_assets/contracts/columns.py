"""Columns of the event tables (polars), derived from the records: one definition of every name and type.

`event_date` is the UTC day of the record's own time and partitions the Delta tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import polars as pl
from msgspec import inspect

from bdp_assets.contracts.records import (
    Adjustment,
    DeadLetter,
    EnrichedTransaction,
    Label,
    Prediction,
    ShadowScore,
    ValidatedTransaction,
)

RecordT = TypeVar("RecordT", bound=msgspec.Struct)

EVENT_DATE = "event_date"
FEATURES = "features"
_TEXTS = {"reasons": "[]", FEATURES: "{}", "list_hits": "[]"}
"""Fields that are JSON text, and what a row says that is older than its column."""
_DTYPES: Mapping[type[inspect.Type], pl.DataType] = {
    inspect.StrType: pl.String(),
    inspect.EnumType: pl.String(),
    inspect.IntType: pl.Int64(),
    inspect.FloatType: pl.Float64(),
    inspect.BoolType: pl.Boolean(),
    inspect.ListType: pl.List(pl.String()),
}


def field_types(record: type[msgspec.Struct]) -> dict[str, tuple[inspect.Type, bool]]:
    """Name -> (type without null, whether null is allowed) of a record's fields."""
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - for the type checker
    return {field.name: _without_null(field.type) for field in info.fields}


def _without_null(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    if not isinstance(kind, inspect.UnionType):
        return kind, False
    (plain,) = (part for part in kind.types if not isinstance(part, inspect.NoneType))
    return plain, True


def columns_of(record: type[msgspec.Struct]) -> dict[str, pl.DataType]:
    """Name -> dtype of a record's fields.

    Reasons and list hits are JSON text, and so are the features of a decision, which stay as they were
    whatever the catalog becomes; those of an enriched transaction are columns of their own.
    """
    types = {name: type(kind) for name, (kind, _) in field_types(record).items()}
    if record is EnrichedTransaction:
        del types[FEATURES]
    return {name: pl.String() if name in _TEXTS else _DTYPES[kind] for name, kind in types.items()}


def _table(columns: Mapping[str, pl.DataType], feature_names: Sequence[str] = ()) -> pl.Schema:
    features = {name: pl.Float64() for name in feature_names}
    return pl.Schema({**columns, **features, EVENT_DATE: pl.Date()})


RAW = _table(
    {
        "topic": pl.String(),
        "partition": pl.Int32(),
        "offset": pl.Int64(),
        "received_ms": pl.Int64(),
        "value": pl.String(),
        "value_base64": pl.String(),
        "pan_hashes": pl.List(pl.String()),
        "door": pl.String(),
    }
)
VALIDATED = _table(columns_of(ValidatedTransaction))
QUARANTINED = _table(columns_of(DeadLetter))
PREDICTIONS = _table(columns_of(Prediction))
SCORES = _table(
    {
        name: PREDICTIONS[name]
        for name in (
            *("transaction_id", "customer_id", "ts_ms", "fraud_probability", "decision"),
            *("model_version", "policy_version", "catalog_version"),
        )
    }
)
SHADOW_SCORES = _table(columns_of(ShadowScore))
LABELS = _table(columns_of(Label))
ADJUSTMENTS = _table(columns_of(Adjustment))


def enriched(feature_names: Sequence[str]) -> pl.Schema:
    """Columns of `enriched` (as served): the validated ones, catalog_version, apply_seq, the features."""
    return _table(columns_of(EnrichedTransaction), feature_names)


def features(feature_names: Sequence[str]) -> pl.Schema:
    """Columns of `features` (as corrected): three of the transaction, catalog_version, the features."""
    kept = {name: VALIDATED[name] for name in ("transaction_id", "customer_id", "ts_ms")}
    return _table({**kept, "catalog_version": pl.String()}, feature_names)


def event_date(time_ms: str) -> pl.Expr:
    """Expression of the UTC day of a column of epoch milliseconds."""
    return pl.from_epoch(pl.col(time_ms), time_unit="ms").dt.date().alias(EVENT_DATE)


def to_frame(
    records: Sequence[msgspec.Struct], record_type: type[msgspec.Struct], time_ms: str
) -> pl.DataFrame:
    """Records of one class as rows of their table, in order; `time_ms` names the field of the event date.

    Features become columns by the names in the first record (an empty list of records has none). Raises
    KeyError when a record lacks one of them.
    """
    schema = columns_of(record_type)
    data: dict[str, list[Any]] = {name: [getattr(record, name) for record in records] for name in schema}
    for name in schema.keys() & _TEXTS.keys():
        data[name] = [msgspec.json.encode(value).decode() for value in data[name]]
    frame = pl.DataFrame(data, schema=schema)
    if record_type is EnrichedTransaction and records:
        frame = frame.hstack(_feature_columns([record.features for record in records]))  # type: ignore[attr-defined]
    return frame.with_columns(event_date(time_ms))


def _feature_columns(vectors: Sequence[Mapping[str, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [vector[name] for vector in vectors] for name in vectors[0]},
        schema_overrides=dict.fromkeys(vectors[0], pl.Float64),
    )


def records_of(frame: pl.DataFrame, record_type: type[RecordT]) -> list[RecordT]:
    """Rows as records of a class whose features are not columns. Raises msgspec.ValidationError.

    What was written before a column was thought of has the field's default, or no features.
    """
    texts = columns_of(record_type).keys() & _TEXTS.keys()
    rows = frame.to_dicts()
    for row in rows:
        row |= {name: msgspec.json.decode(row.get(name) or _TEXTS[name]) for name in texts}
    return msgspec.convert(rows, list[record_type])  # type: ignore[valid-type]
