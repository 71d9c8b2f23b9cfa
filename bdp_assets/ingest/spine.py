"""A spine: rows of ids and times to which features are joined, as they were known then."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from bdp_assets.features.bulk.answerable import answerable
from bdp_assets.features.bulk.arrival import KEPT, Input
from bdp_assets.features.bulk.failures import reading
from bdp_assets.features.formulas import IDS
from bdp_assets.features.spec import Catalog
from bdp_assets.ingest import encode
from bdp_assets.ingest.amounts import base_minor
from bdp_assets.ingest.mapping import (
    AmountSource,
    Mapping,
    MappingError,
    Text,
    TextSource,
    TimeSource,
)
from bdp_assets.ingest.source import scan_file

CUSTOMER_ID = "customer_id"


class Spine(NamedTuple):
    """Rows to ask, the features that they can be asked, and which not: by name, with what each would need."""

    rows: Input
    catalog: Catalog
    left_out: dict[str, str]


def spine_of(file: Path, catalog: Catalog, mapping: Mapping | None = None) -> Spine:
    """A file with `ts_ms` or `timestamp` (RFC 3339), any of the ids, and `amount_base_minor` or `amount`.

    Where a mapping is given, columns with its names are understood as it says. All columns of the file go to
    the output. Raises HistoryMissing, MappingError and BulkFailed.
    """
    rows = scan_file(file)
    with reading(str(file)):
        schema = rows.collect_schema()
    ids = _ids(schema, mapping)
    amount = _amount(schema, mapping)
    catalog, left_out = answerable(catalog, ids, amount is not None)
    if not catalog.windows:
        known = ", ".join((CUSTOMER_ID, *IDS))
        raise MappingError(f"{file} names nobody whose features there are: it needs one of {known}.")
    twice = sorted({*catalog.names} & {*schema})
    if twice:
        raise MappingError(f"{file} has columns named as features: {', '.join(twice)}. Rename or drop them.")
    asked = rows.select(
        **ids,
        ts_ms=_time(file, schema, mapping),
        amount_base_minor=pl.lit(0, pl.Int64) if amount is None else amount,
        **{f"{KEPT}{name}": pl.col(name) for name in schema},
    )
    return Spine(Input(str(file), asked), catalog, left_out)


def _ids(schema: pl.Schema, mapping: Mapping | None) -> dict[str, pl.Expr]:
    found: dict[str, Text] = {name: TextSource(column=name) for name in (CUSTOMER_ID, *IDS) if name in schema}
    if mapping is not None:
        mapped = {name: getattr(mapping.fields, name) for name in (CUSTOMER_ID, *IDS)}
        found |= {n: source for n, source in mapped.items() if _is_of(source, schema)}
    return {name: encode.text(source, schema) for name, source in found.items()}


def _time(file: Path, schema: pl.Schema, mapping: Mapping | None) -> pl.Expr:
    if "ts_ms" in schema:
        return pl.col("ts_ms").cast(pl.Int64)
    for source in (TimeSource(column="timestamp"), mapping.fields.timestamp if mapping else None):
        if source is not None and source.column in schema:
            return encode.moment(source, schema).dt.epoch("ms")
    raise MappingError(f"{file} has no time: name it ts_ms (UTC epoch milliseconds) or timestamp (RFC 3339).")


def _amount(schema: pl.Schema, mapping: Mapping | None) -> pl.Expr | None:
    if "amount_base_minor" in schema:
        return pl.col("amount_base_minor").cast(pl.Int64)
    currency: Text | None = TextSource(column="currency") if "currency" in schema else None
    found = [(AmountSource(column="amount"), currency)]
    if mapping is not None:
        found.append((mapping.fields.amount, mapping.fields.currency))
    for source, unit in found:
        if source.column in schema and (not isinstance(unit, TextSource) or unit.column in schema):
            return base_minor(encode.amount(source, unit, schema), unit, schema)
    return None


def _is_of(source: object, schema: pl.Schema) -> bool:
    return isinstance(source, TextSource) and source.column in schema
