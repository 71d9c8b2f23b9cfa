from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.origins import origins

ROWS = 400
DAY = 86_400_000


@pytest.fixture(scope="module")
def transactions() -> pl.DataFrame:
    dice = np.random.default_rng(5)
    ids = {name: [f"{name}-{i}" for i in dice.integers(0, 6, ROWS)] for name in CATALOG.ids}
    return pl.DataFrame(
        {
            "transaction_id": [f"t{i}" for i in range(ROWS)],
            "customer_id": [f"c{i}" for i in dice.integers(0, 5, ROWS)],
            "ts_ms": np.sort(dice.integers(100 * DAY, 160 * DAY, ROWS)),
            "amount_base_minor": dice.integers(1, 90_000, ROWS),
            **ids,
        }
    )


@pytest.fixture(scope="module")
def labels(transactions: pl.DataFrame) -> pl.DataFrame:
    return transactions.sample(fraction=0.3, seed=1).select(
        "transaction_id", "customer_id", is_fraud=pl.lit(True), known_at_ms=pl.col("ts_ms") + DAY
    )


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> set[str]:
    return {name for name in CATALOG.names if not before[name].equals(after[name])}


def _another(transactions: pl.DataFrame, column: str) -> pl.DataFrame:
    """The same transactions with this column's values dealt out anew."""
    if column == "ts_ms":
        return transactions.with_columns((pl.col("ts_ms") - 100 * DAY) // 50 + 100 * DAY)
    return transactions.with_columns(pl.col(column).shuffle(seed=3))


@pytest.mark.parametrize("column", ["customer_id", "ts_ms", "amount_base_minor", *CATALOG.ids])
def test_a_feature_depends_on_the_columns_it_is_said_to_be_made_of_and_on_no_others(
    column: str, transactions: pl.DataFrame, labels: pl.DataFrame
) -> None:
    another = _another(transactions, column)
    keys = another.select("transaction_id", "customer_id")
    relabelled = labels.drop("customer_id").join(keys, on="transaction_id")
    said = {name for name, origin in origins(CATALOG).items() if column in origin.columns}
    changed = _changed(
        build_features(transactions, labels, CATALOG), build_features(another, relabelled, CATALOG)
    )
    assert changed <= said
    assert len(changed) >= len(said) * 0.8, said - changed  # Some windows hold all of any such data.


def test_features_of_labels_alone_change_with_the_labels(
    transactions: pl.DataFrame, labels: pl.DataFrame
) -> None:
    said = {name for name, origin in origins(CATALOG).items() if origin.reads_labels}
    changed = _changed(
        build_features(transactions, labels, CATALOG), build_features(transactions, None, CATALOG)
    )
    assert changed
    assert changed <= said
