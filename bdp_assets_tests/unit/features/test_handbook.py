"""The features that the Fraud Detection Handbook publishes: nothing differs but ties of one second."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import HANDBOOK
from bdp_assets.features.times import DAY

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.handbook,
    pytest.mark.skipif(not DATA.is_dir(), reason="the reference data is not beside the project"),
]


def test_equals_the_published_values() -> None:
    raw = pl.read_parquet(DATA / "handbook_raw.parquet").sort("TX_DATETIME", "TRANSACTION_ID")
    transactions = raw.select(
        transaction_id=pl.col("TRANSACTION_ID").cast(pl.String),
        customer_id=pl.col("CUSTOMER_ID").cast(pl.String),
        merchant_id=pl.col("TERMINAL_ID").cast(pl.String),
        ts_ms=pl.col("TX_DATETIME").dt.epoch("ms"),
        amount_base_minor=(pl.col("TX_AMOUNT") * 100).round().cast(pl.Int64),
    )
    labels = transactions.select(
        "transaction_id", "customer_id", is_fraud=raw["TX_FRAUD"] == 1, known_at_ms=pl.col("ts_ms") + 7 * DAY
    )
    published = pl.read_parquet(DATA / "handbook_features_sample.parquet")
    ours = build_features(transactions, labels, HANDBOOK)
    both = published.with_columns(transaction_id=pl.col("TRANSACTION_ID").cast(pl.String)).join(
        ours, on="transaction_id", suffix="_ours", maintain_order="left"
    )
    assert len(both) == len(published) == 175_416
    equal = {name: ((pl.col(name) - pl.col(f"{name}_ours")).abs() <= 1e-9) for name in HANDBOOK.names}
    differing = {name: set(both.filter(~test)["transaction_id"]) for name, test in equal.items()}
    assert {name for name, rows in differing.items() if rows and name.startswith("TERMINAL")} == set()
    assert set().union(*differing.values()) <= ties(transactions)


def ties(transactions: pl.DataFrame) -> set[str]:
    """Two transactions of a customer in one second: pandas lets one see the other, our spec neither."""
    tied = transactions.filter(pl.struct("customer_id", "ts_ms").is_duplicated())
    assert len(tied) == 2 * 29
    return set(tied["transaction_id"])
