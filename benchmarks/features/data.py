"""What all sides are given: the Handbook's transactions and labels, in the platform's own columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.contracts.money import MAX_AMOUNT_MINOR
from bdp_assets.features.times import DAY
from bdp_assets.project import PROJECT
from bdp_assets.runtime.problems import Problem
from benchmarks.features import synthetic

Columns = Mapping[str, NDArray[np.float64]]
"""What a side answers: feature -> a number for each row."""

BESIDE = PROJECT.parent / "shared" / "data" / "handbook_raw.parquet"
LABEL_DELAY = 7 * DAY
RAW = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")
_READS = f"The benches read the Handbook's columns, {', '.join(RAW)}"


@dataclass(frozen=True)
class Given:
    """`transactions` in order of time and `labels`, as for `build_features`; every label is known on time:
    7 days after its transaction, as the Handbook has it."""

    transactions: pl.DataFrame
    labels: pl.DataFrame
    source: str
    synthetic: bool = False

    @property
    def rows(self) -> int:
        return len(self.transactions)

    @property
    def bytes(self) -> int:
        return held(self.transactions) + held(self.labels)

    def describe(self) -> dict[str, object]:
        return {
            "source": self.source,
            "synthetic": self.synthetic,
            "rows": self.rows,
            "customers": self.transactions["customer_id"].n_unique(),
            "merchants": self.transactions["merchant_id"].n_unique(),
            "frauds": int(self.labels["is_fraud"].sum()),
            "input_bytes": self.bytes,
        }


def given(file: Path | None) -> Given:
    """The file's transactions; without one those beside the project, else made up. Raises Problem."""
    if file is None and not BESIDE.exists():
        return prepared(synthetic.handbook(), "made up in the Handbook's shape: not its data", made_up=True)
    chosen = file or BESIDE
    if not chosen.exists():
        raise Problem(f"There is no {chosen}.", "Name the Handbook's transactions as a Parquet file.")
    try:
        columns = pl.read_parquet_schema(chosen)
        missing = [name for name in RAW if name not in columns]
        if missing:
            raise Problem(f"{chosen.name} has no column {', '.join(missing)}.", f"{_READS}.")
        raw = pl.read_parquet(chosen, columns=list(RAW))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise Problem(f"{chosen.name} can not be read: {reason}.", f"Is it Parquet? {_READS}.") from error
    faults = [fault for fault, found in _faults(raw) if found]
    if faults:
        raise Problem(f"{chosen.name}: {'; '.join(faults)}.", f"{_READS}: times, amounts from 0 on, 0 or 1.")
    return prepared(raw.with_columns(pl.col("TX_FRAUD").cast(pl.Int8)), chosen.name)


def _faults(raw: pl.DataFrame) -> Iterator[tuple[str, bool]]:
    """What a file may have that is no transaction, and whether it has: a guess would change the figures."""
    time, amount, fraud = (raw[column] for column in ("TX_DATETIME", "TX_AMOUNT", "TX_FRAUD"))
    yield "it has no transactions", raw.is_empty()
    yield "values are missing", any(raw.null_count().row(0))
    yield f"TX_DATETIME is {time.dtype}, no date and time", not isinstance(time.dtype, pl.Datetime)
    is_number = amount.dtype.is_numeric()
    yield f"TX_AMOUNT is {amount.dtype}, no number", not is_number
    if is_number:
        fits = amount.cast(pl.Float64).is_between(0, MAX_AMOUNT_MINOR / 100)
        yield f"{(~fits).sum():,} amounts are below 0, above any, or no number", not fits.all()
    if fraud.dtype != pl.Boolean:
        yield "TX_FRAUD is neither 0 nor 1", not (fraud.dtype.is_numeric() and fraud.is_in([0, 1]).all())


def prepared(raw: pl.DataFrame, source: str, *, made_up: bool = False) -> Given:
    """From the Handbook's columns to the platform's."""
    raw = raw.sort("TX_DATETIME", "TRANSACTION_ID")
    transactions = raw.select(
        transaction_id=pl.col("TRANSACTION_ID").cast(pl.String),
        customer_id=pl.col("CUSTOMER_ID").cast(pl.String),
        merchant_id=pl.col("TERMINAL_ID").cast(pl.String),
        ts_ms=pl.col("TX_DATETIME").dt.epoch("ms"),
        amount_base_minor=(pl.col("TX_AMOUNT") * 100).round().cast(pl.Int64),
    )
    labels = transactions.select(
        "transaction_id",
        "customer_id",
        is_fraud=raw["TX_FRAUD"] == 1,
        known_at_ms=pl.col("ts_ms") + LABEL_DELAY,
    )
    return Given(transactions.rechunk(), labels.rechunk(), source, made_up)


def tenths(whole: Given, parts: int) -> Given:
    """`parts` tenths of the rows, each customer and merchant as busy as before.

    Of the customers that many tenths are kept whole. Their transactions are spread over as many fewer
    merchants, ten to `parts` of them becoming one, so that a merchant's history is as long as in the whole.
    """
    if parts == 10:
        return whole
    customer, merchant = (coded(whole.transactions[name]) for name in ("customer_id", "merchant_id"))
    merchants = max(1, merchant.n_unique() * parts // 10)
    merged = (merchant % merchants).cast(pl.String).alias("merchant_id")
    kept = whole.transactions.with_columns(merged).filter(customer % 10 < parts)
    labels = whole.labels.join(
        kept.select("transaction_id", "customer_id"), on=["transaction_id", "customer_id"], how="semi"
    )
    return Given(kept.rechunk(), labels.rechunk(), whole.source, whole.synthetic)


def held(frame: pl.DataFrame) -> int:
    """Bytes that a frame's values take in memory.

    A Polars string is a view of 16 bytes that holds its text up to 12 bytes; `estimated_size` counts the text
    alone.
    """
    return sum(_held(column) for column in frame)


def _held(column: pl.Series) -> int:
    if column.dtype != pl.String:
        return int(column.estimated_size())
    lengths = column.str.len_bytes()
    return 16 * len(column) + int(lengths.filter(lengths > 12).sum())


def coded(ids: pl.Series) -> pl.Series:
    """A dense number for each different id, the same in every run (categories are numbered as threads go)."""
    return ids.cast(pl.Enum(ids.unique().sort())).to_physical().cast(pl.Int64)
