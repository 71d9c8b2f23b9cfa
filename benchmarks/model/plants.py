"""Leaks, planted on purpose: the mistakes that fraud models are made with, each in the smallest form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.spec import Catalog, Feature, WindowFeature
from bdp_assets.features.times import DAY, MINUTE
from bdp_assets.training.early_labels import Builder, History
from bdp_assets.training.split import KEY, TrainingData, with_labels


def same_day(
    transactions: pl.DataFrame, labels: pl.DataFrame | None, *, only: pl.Series | None
) -> pl.DataFrame:
    """Labels count at the moment of their transaction, in windows that end a minute ago."""
    return _hurried(transactions, labels, only, known_after=0, delay=MINUTE)


def one_day(
    transactions: pl.DataFrame, labels: pl.DataFrame | None, *, only: pl.Series | None
) -> pl.DataFrame:
    """Labels count a day after their transaction, whenever they became known."""
    return _hurried(transactions, labels, only, known_after=DAY, delay=DAY)


def own_label(
    transactions: pl.DataFrame, labels: pl.DataFrame | None, *, only: pl.Series | None
) -> pl.DataFrame:
    """The merchant's frauds and their shares count the transaction that is asked, too."""
    features = build_features(transactions, labels, only=only)
    if labels is None:
        return features
    fraud = pl.col("is_fraud").cast(pl.Float64)
    counts = [name for name in CATALOG.names if name.startswith("merchant_frauds_")]
    shares = [name for name in CATALOG.names if name.startswith("merchant_fraud_share_")]
    known = with_labels(features, labels, int(labels["known_at_ms"].max() or 0))  # type: ignore[arg-type]
    return known.with_columns(
        *(pl.col(name) + fraud for name in counts),
        *(pl.col(name) + fraud / (1 + pl.col("merchant_count_7d")) for name in shares),
    ).drop("is_fraud")


def next_week(
    transactions: pl.DataFrame, labels: pl.DataFrame | None, *, only: pl.Series | None
) -> pl.DataFrame:
    """The customer's transactions of the week are those of the coming week."""
    features = build_features(transactions, labels, only=only)
    coming = (
        transactions.unique(KEY, keep="first", maintain_order=True)
        .sort("ts_ms")
        .rolling("ts_ms", period=f"{7 * DAY}i", offset="0i", group_by="customer_id")
        .agg(customer_count_7d=pl.len().cast(pl.Float64))
        .unique(["customer_id", "ts_ms"])
    )
    others = features.drop("customer_count_7d")
    told = others.join(coming, on=["customer_id", "ts_ms"], how="left", maintain_order="left")
    return told.select(features.columns)


@dataclass(frozen=True)
class RandomSplit(TrainingData):
    """Every row of both windows goes to the training or to the test as a coin falls."""

    def train_rows(self) -> pl.DataFrame:
        return self._drawn().filter("heads").drop("heads")

    def test_rows(self) -> pl.DataFrame:
        return self._drawn().filter(~pl.col("heads")).drop("heads")

    def _drawn(self) -> pl.DataFrame:
        split, time = self.split, pl.col("ts_ms")
        inside = time.is_between(split.train_start_ms, split.train_end_ms, closed="left") | time.is_between(
            split.test_start_ms, split.test_end_ms, closed="left"
        )
        rows = with_labels(self.features.filter(inside), self.labels, self.cut_ms)
        return rows.with_columns(heads=pl.struct(KEY).hash(seed=1) % 2 == 0)


EARLY_LABELS: Mapping[str, Builder] = {
    "same-day label": same_day,
    "own label in the merchant's risk": own_label,
    "one day's delay instead of seven": one_day,
}
BUILDERS: Mapping[str, Builder] = {**EARLY_LABELS, "the customer's coming week": next_week}
"""Leaks in the features: what builds them in place of `build_features`."""


def with_features_of(build: Builder, data: TrainingData, history: History) -> TrainingData:
    """The same rows with features as this builder makes them."""
    asked = history.transactions["ts_ms"].is_between(
        data.split.train_start_ms, data.split.test_end_ms, closed="left"
    )
    return replace(data, features=build(*history, only=asked))


def split_at_random(data: TrainingData) -> TrainingData:
    return RandomSplit(data.features, data.labels, data.split, data.cut_ms)


def _hurried(
    transactions: pl.DataFrame,
    labels: pl.DataFrame | None,
    only: pl.Series | None,
    *,
    known_after: int,
    delay: int,
) -> pl.DataFrame:
    hasty = Catalog(tuple(map(partial(_with_delay, delay), CATALOG.features)))
    if labels is not None:
        times = transactions.select(*KEY, "ts_ms").unique(KEY, keep="first")
        known_at = pl.min_horizontal("known_at_ms", pl.col("ts_ms") + known_after)
        labels = labels.drop("ts_ms", strict=False).join(times, on=KEY, maintain_order="left")
        labels = labels.with_columns(known_at_ms=known_at)
    return build_features(transactions, labels, hasty, only=only)


def _with_delay(delay: int, feature: Feature) -> Feature:
    if isinstance(feature, WindowFeature) and feature.filter == LABEL_FILTER:
        return replace(feature, delay=delay, hop=min(delay, DAY))
    return feature
