"""A model can learn the simulated fraud from its features, and can not solve it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.history import raw_rows
from bdp_assets.ingest.source import HistorySource
from bdp_assets.simulator.drafts import GENUINE
from bdp_assets.simulator.world import History

COLUMNS = ("transaction_id", "customer_id", "merchant_id", "ts_ms", "amount_base_minor")


def test_average_precision_is_sensible(history: History, truth: pl.DataFrame, tmp_path: Path) -> None:
    source = HistorySource(history.write(tmp_path))
    rows = raw_rows(source, *source.days)
    records = [
        decode_transaction(value.encode(), received_ms=received)
        for value, received in zip(rows["value"], rows["received_ms"], strict=True)
    ]
    transactions = pl.DataFrame({name: [getattr(r, name) for r in records] for name in COLUMNS})
    features = build_features(transactions, history.labels).join(
        truth.select("transaction_id", fraud=pl.col("kind") != GENUINE), on="transaction_id"
    )
    cut = features["ts_ms"].quantile(0.6)
    train, test = features.filter(pl.col("ts_ms") < cut), features.filter(pl.col("ts_ms") >= cut)
    # A fifth of the honest ones is enough to learn from.
    train = train.filter(pl.col("fraud") | (pl.int_range(pl.len()) % 5 == 0))
    forest = RandomForestClassifier(30, min_samples_leaf=3, n_jobs=1, random_state=0)
    forest.fit(train.select(CATALOG.names).to_numpy(), train["fraud"].to_numpy())
    scores = forest.predict_proba(test.select(CATALOG.names).to_numpy())[:, 1]
    precision = average_precision_score(np.asarray(test["fraud"]), scores)
    assert 0.35 < precision < 0.9
