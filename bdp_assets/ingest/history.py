"""The history door: a source's rows as they go into the lake's `raw` table, and its labels.

Days are UTC. Only the days that are asked for are held in memory; the rest of the file is scanned over.
Everything here raises HistoryMissing (no such file) and MappingError (the mapping does not fit it).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from bdp_assets.contracts.columns import RAW, columns_of
from bdp_assets.contracts.records import Door, Label
from bdp_assets.ingest import encode
from bdp_assets.ingest.mapping import LabelFields, Labels
from bdp_assets.ingest.source import HistorySource

LABEL = pl.Schema(columns_of(Label))
DAY_MS = 86_400_000


class Row(NamedTuple):
    """One transaction of a source, as it travels; an id that the source leaves out is empty."""

    transaction_id: str
    customer_id: str
    value: bytes


def date_range(source: HistorySource) -> tuple[date, date]:
    """First and last UTC day with a transaction."""
    return source.days


def raw_rows(source: HistorySource, first: date, last: date) -> pl.DataFrame:
    """Rows of the lake's `raw` table (`contracts.columns.RAW`) of the days first..last (both), by time.

    `value` is the canonical JSON text that would travel on the raw topic; topic, partition and offset are
    null. `received_ms` is the event's own time, so that no time bound depends on when a file is read. Rows
    whose time can not be read go with the file's first day, to be refused there: none is left out.
    """
    rows = _days(source, first, last).select(
        received_ms="ts_ms",
        value="value",
        door=pl.lit(Door.HISTORY.value),
        event_date=pl.from_epoch("ts_ms", time_unit="ms").dt.date(),
    )
    empty = {name: pl.lit(None, dtype) for name, dtype in RAW.items() if name not in rows.collect_schema()}
    return rows.with_columns(**empty).select(RAW.names()).collect(engine="streaming")


def replay(source: HistorySource, first: date) -> Iterator[Row]:
    """Transactions from the day `first` on, by time; a day in memory at a time."""
    day, (_, last) = first, source.days
    while day <= last:
        rows = _days(source, day, day).select(Row._fields).collect(engine="streaming")
        for transaction_id, customer_id, value in rows.iter_rows():
            yield Row(transaction_id or "", customer_id or "", value.encode())
        day += timedelta(days=1)


def labels(source: HistorySource, first: date, last: date) -> pl.DataFrame:
    """Labels that became known on the days first..last (both), by `known_at_ms`, in Label's columns.

    Where labels are a column of the transactions, only frauds have one: no label means honest. A file of
    labels gives all it has, so also reversals.
    """
    known = (
        all_labels(source)
        .filter(_between("known_at_ms", first, last))
        .sort("known_at_ms", maintain_order=True)
    )
    return known.select(LABEL.names()).collect(engine="streaming")


def all_labels(source: HistorySource) -> pl.LazyFrame:
    """Every label that the source has, in its own order."""
    rules = source.mapping.labels
    if rules is None:
        return LABEL.to_frame().lazy()
    rows, about = source.label_rows(rules)
    found = rows.select(**label_columns(rules, about, rows.collect_schema()))
    return found if rules.file else found.filter("is_fraud")


def _days(source: HistorySource, first: date, last: date) -> pl.LazyFrame:
    """transaction_id, customer_id, value (String) and ts_ms (Int64) of those days, by time."""
    fields, schema = source.mapping.fields, source.schema
    unreadable = _epoch_ms(source.days[0])
    return (
        source.scan()
        .with_columns(ts_ms=source.moment.dt.epoch("ms").fill_null(unreadable))
        .filter(_between("ts_ms", first, last))
        .select(
            transaction_id=encode.text(fields.transaction_id, schema),
            customer_id=encode.text(fields.customer_id, schema),
            ts_ms="ts_ms",
            value=encode.value(fields, schema),
        )
        .sort("ts_ms", maintain_order=True)
    )


def label_columns(rules: Labels, about: LabelFields, schema: pl.Schema) -> dict[str, pl.Expr]:
    """Label's columns, of rows with these columns."""
    ts_ms = (
        encode.moment(about.timestamp, schema).dt.epoch("ms") if about.timestamp else pl.lit(None, pl.Int64)
    )
    if rules.known_at:
        known_at_ms = encode.moment(rules.known_at, schema).dt.epoch("ms")
    else:
        known_at_ms = ts_ms + (rules.known_after_days or 0) * DAY_MS
    return {
        "transaction_id": encode.text(about.transaction_id, schema),
        "customer_id": encode.text(about.customer_id, schema),
        "is_fraud": _is_fraud(rules, schema),
        "known_at_ms": known_at_ms,
        "merchant_id": encode.text(about.merchant_id, schema)
        if about.merchant_id
        else pl.lit(None, pl.String),
        "ts_ms": ts_ms,
    }


def _is_fraud(rules: Labels, schema: pl.Schema) -> pl.Expr:
    column, dtype = pl.col(rules.is_fraud.column), schema[rules.is_fraud.column]
    if dtype == pl.Boolean:
        return column
    return column == (str(rules.fraud_value) if dtype == pl.String else rules.fraud_value)


def _between(column: str, first: date, last: date) -> pl.Expr:
    return pl.col(column).is_between(_epoch_ms(first), _epoch_ms(last) + DAY_MS, closed="left")


def _epoch_ms(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_MS
