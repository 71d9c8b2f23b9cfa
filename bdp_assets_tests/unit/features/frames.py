"""Records as the tables that batch reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.batch import build_features
from bdp_assets.features.spec import Catalog

_TRANSACTION = {
    "transaction_id": pl.String,
    "customer_id": pl.String,
    "merchant_id": pl.String,
    "device_id": pl.String,
    "country": pl.String,
    "ts_ms": pl.Int64,
    "amount_base_minor": pl.Int64,
    "body_hash": pl.String,
}
_LABEL = {
    "transaction_id": pl.String,
    "customer_id": pl.String,
    "is_fraud": pl.Boolean,
    "known_at_ms": pl.Int64,
}


def transaction_frame(transactions: Sequence[ValidatedTransaction]) -> pl.DataFrame:
    rows = [[getattr(t, name) for name in _TRANSACTION] for t in transactions]
    return pl.DataFrame(rows, _TRANSACTION, orient="row")


def label_frame(labels: Sequence[Label]) -> pl.DataFrame:
    return pl.DataFrame([[getattr(x, name) for name in _LABEL] for x in labels], _LABEL, orient="row")


def batch_vectors(
    transactions: Sequence[ValidatedTransaction], labels: Sequence[Label], catalog: Catalog
) -> list[bytes]:
    built = build_features(transaction_frame(transactions), label_frame(labels), catalog)
    return bits(built.select(catalog.names).rows())


def bits(vectors: Sequence[Sequence[float]]) -> list[bytes]:
    return [np.array(vector, dtype=np.float64).tobytes() for vector in vectors]
