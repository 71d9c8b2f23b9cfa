"""What features are built from: files by their mapping, and tables of the lake, as the builder's inputs.

A file may have the columns that features read (`ts_ms`, `amount_base_minor`, ids), those of the contract, or
any others with a mapping. Everything here raises HistoryMissing, MappingError, BulkFailed and
TableMissing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.features.bulk.arrival import KEPT, LABEL, Input
from bdp_assets.features.bulk.build import History
from bdp_assets.features.bulk.failures import reading
from bdp_assets.features.formulas import COLUMNS, IDS
from bdp_assets.features.labels import KEY
from bdp_assets.ingest import encode, history
from bdp_assets.ingest.amounts import base_minor
from bdp_assets.ingest.file_format import FileFormat, file_format
from bdp_assets.ingest.mapping import EXAMPLE, Fields, MappingError
from bdp_assets.ingest.source import HistorySource, scan_file
from bdp_assets.ingest.tables import rows

Columns = Mapping[str, pl.Expr]
_OWN_FIELDS = {"ts_ms": "timestamp", "amount_base_minor": "amount"}


def of_lake(lake: Lake, kept: Sequence[str]) -> History:
    """Enriched transactions and labels; `kept`: the columns that the output begins with."""
    transactions = lake.scan("enriched")
    found = _ready(transactions.collect_schema())
    labels = lake.scan("labels") if lake.exists("labels") else rows(lake, "labels").lazy()
    return History(
        Input("the lake's table enriched", transactions.select(**found, **_kept(found, kept))),
        Input("the lake's table labels", labels.select(LABEL)),
    )


def of_file(source: HistorySource, labels: Path | None, kept: Sequence[str]) -> History:
    """`labels`: a file of labels with the contract's names; else what the mapping, or a file beside, says.

    The columns `kept`, which the output begins with, have the file's own names and values where a mapping is
    given.
    """
    with reading(str(source.file)):
        found = columns_of(source)
    own = _own(source.mapping.fields, kept) if source.given else _kept(found, kept)
    with reading(str(labels or source.file)):
        told = _labels(source, labels)
    return History(Input(str(source.file), source.scan().select(**found, **own)), told)


def columns_of(source: HistorySource) -> Columns:
    """KEY, COLUMNS and the ids that the file has."""
    schema = source.schema
    if source.given is None and {*KEY, *COLUMNS} <= set(schema):
        return _ready(schema)
    fields = _fields(source)
    ids = {name: getattr(fields, name) for name in IDS}
    return {
        "transaction_id": encode.text(fields.transaction_id, schema),
        "customer_id": encode.text(fields.customer_id, schema),
        "ts_ms": source.moment.dt.epoch("ms"),
        "amount_base_minor": base_minor(
            encode.amount(fields.amount, fields.currency, schema), fields.currency, schema
        ),
        **{name: encode.text(field, schema) for name, field in ids.items() if field is not None},
    }


def _fields(source: HistorySource) -> Fields:
    absent = {"transaction_id", "customer_id", "amount", "timestamp"} - set(source.schema)
    if source.given is None and absent:
        raise MappingError(
            f"{source.file} lacks {', '.join(sorted(absent))} (validated, {' and '.join(COLUMNS)}). "
            f"Say which of its columns are which with --mapping; copy {EXAMPLE}.{_unparted(source)}"
        )
    return source.mapping.fields


def _unparted(source: HistorySource) -> str:
    """A hint, where the header came as one column."""
    if len(source.schema) > 1 or file_format(source.file) is not FileFormat.csv:
        return ""
    return " It came as one column: where no comma is between its values, the mapping names the `delimiter`."


def _ready(schema: pl.Schema) -> Columns:
    """Of rows that were validated."""
    texts = {name: pl.col(name).cast(pl.String) for name in (*KEY, *IDS) if name in schema}
    return {**texts, **{name: _whole(name, schema[name]) for name in COLUMNS}}


def _whole(name: str, dtype: pl.DataType) -> pl.Expr:
    """Null where a float is no whole number, which a cast would cut off."""
    column = pl.col(name)
    whole = column.cast(pl.Int64, strict=not dtype.is_float())
    return pl.when(column == whole).then(whole).alias(name) if dtype.is_float() else whole


def _kept(found: Columns, kept: Sequence[str]) -> Columns:
    return {f"{KEPT}{name}": found[name] for name in kept}


def _own(fields: Fields, kept: Sequence[str]) -> Columns:
    own = [getattr(fields, _OWN_FIELDS.get(name, name)).column for name in kept]
    return {f"{KEPT}{name}": pl.col(name) for name in own}


def _labels(source: HistorySource, file: Path | None) -> Input | None:
    if file is not None:
        found = scan_file(file)
        absent = sorted(set(LABEL) - set(found.collect_schema()))
        if absent:
            raise MappingError(
                f"{file} lacks {', '.join(absent)}: labels have the columns {', '.join(LABEL)}."
            )
        return Input(str(file), _typed(found))
    if source.given is not None:
        has_labels = source.given.labels is not None
        return Input("labels", _typed(history.all_labels(source))) if has_labels else None
    if {"is_fraud", "known_at_ms"} <= set(source.schema):  # As in a mapping: no label means honest.
        return Input(str(source.file), _typed(source.scan()).filter("is_fraud"))
    beside = source.file.parent / "labels.parquet"
    return Input(str(beside), _typed(scan_file(beside))) if beside.exists() else None


def _typed(labels: pl.LazyFrame) -> pl.LazyFrame:
    """Labels of which nobody knows when they came, or what they are about, are left out."""
    return typed_labels(labels).drop_nulls()


def typed_labels(labels: pl.LazyFrame) -> pl.LazyFrame:
    """LABEL of a file; `known_at_ms` is null where the file does not say when."""
    schema = labels.collect_schema()
    texts = [pl.col(name).cast(pl.String) for name in KEY]
    is_fraud = _truth(schema["is_fraud"])
    if schema["is_fraud"] != pl.Boolean:
        _require_told(labels, is_fraud)
    known_at_ms = pl.col("known_at_ms") if "known_at_ms" in schema else pl.lit(None).alias("known_at_ms")
    return labels.select(*texts, is_fraud, known_at_ms.cast(pl.Int64))


def _truth(dtype: pl.DataType) -> pl.Expr:
    """`is_fraud` as a Boolean; null where it is nothing that can be read as one."""
    told = pl.col("is_fraud")
    if dtype == pl.Boolean:
        return told
    if dtype == pl.String:  # Of CSV.
        told = told.str.strip_chars().str.to_lowercase()
        yes, no = told.is_in(["true", "1", "1.0"]), told.is_in(["false", "0", "0.0"])
    else:
        yes, no = told == 1, told == 0
    return pl.when(yes).then(True).when(no).then(False).alias("is_fraud")


def _require_told(labels: pl.LazyFrame, truth: pl.Expr) -> None:
    said = pl.col("is_fraud").cast(pl.String).str.strip_chars() != ""
    unclear = labels.select((said & truth.is_null()).sum()).collect().item()
    if unclear:
        raise MappingError(
            f"{unclear:,} values of is_fraud are neither true nor false (1, 0), and a guess would make a "
            "wrong model: write one of these, or leave it empty where nobody knows."
        )
