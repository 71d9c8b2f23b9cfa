"""Transactions of a file with what became of them: what a model can be trained on.

Labels are in a file of their own, where the mapping says, in a column of the transactions (`is_fraud`, with
`known_at_ms` where it is known), or in labels.parquet beside them: whichever of these is there first.
Everything here raises HistoryMissing, MappingError and BulkFailed.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bdp_assets.features.bulk.arrival import check_rows
from bdp_assets.features.bulk.failures import reading
from bdp_assets.features.formulas import COLUMNS
from bdp_assets.features.labels import KEY
from bdp_assets.features.table import first_of_each
from bdp_assets.features.times import DAY
from bdp_assets.ingest import history
from bdp_assets.ingest.feature_inputs import columns_of, typed_labels
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.source import HistorySource, scan_file

FRAUD = "is_fraud"


def labelled(
    source: HistorySource, labels: Path | None, delay_days: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Transactions as features read them, each once and in order of arrival; and labels.

    Where nothing says when a label became known, it did `delay_days` after its transaction.
    """
    name = str(source.file)
    with reading(name):
        rows = source.scan().select(**columns_of(source)).collect()
    check_rows(name, rows, (*KEY, *COLUMNS))
    transactions = rows.filter(first_of_each(rows))
    with reading(str(labels or name)):
        found = _labels(source, labels).drop_nulls(FRAUD).collect()
    times = transactions.select(*KEY, by_then=pl.col("ts_ms") + delay_days * DAY)
    dated = found.join(times, on=KEY, how="left", maintain_order="left")
    known_at_ms = pl.col("known_at_ms").fill_null(pl.col("by_then"))
    return transactions, dated.with_columns(known_at_ms).drop("by_then").drop_nulls()


def _labels(source: HistorySource, file: Path | None) -> pl.LazyFrame:
    if file is not None:
        return _of_file(file)
    if source.given is not None and source.given.labels is not None:
        return typed_labels(history.all_labels(source))
    if source.given is None and FRAUD in source.schema:
        # As in a mapping: no label means honest.
        return typed_labels(source.scan()).filter(FRAUD)
    beside = source.file.parent / "labels.parquet"
    if source.given is None and beside.exists():
        return _of_file(beside)
    raise MappingError(
        f"{source.file} does not say what was fraud, and a model learns from that: give it a column {FRAUD}, "
        "name one in the mapping's `labels`, or add --labels FILE."
    )


def _of_file(file: Path) -> pl.LazyFrame:
    rows = scan_file(file)
    absent = sorted({*KEY, FRAUD} - set(rows.collect_schema()))
    if absent:
        raise MappingError(
            f"{file} lacks {', '.join(absent)}: labels have the columns {', '.join((*KEY, FRAUD))}, and "
            "known_at_ms where it is known."
        )
    return typed_labels(rows)
