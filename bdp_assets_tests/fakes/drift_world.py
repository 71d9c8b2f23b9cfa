"""A simulated world with seasons of its own, a model's days, and 200 clean days after them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import RandomForestClassifier

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.labelled import labelled
from bdp_assets.ingest.source import HistorySource
from bdp_assets.monitoring.drift.counting import FRAUD, SCORE
from bdp_assets.monitoring.drift.labels import with_due_labels
from bdp_assets.monitoring.drift.reference import Reference, reference_of
from bdp_assets.monitoring.drift.seasons import MONTH_TURN, seasons
from bdp_assets.simulator.world import World
from bdp_assets.training.split import DAY_MS, with_labels

CUSTOMERS, WARM_UP, TRAIN, DELAY, MODEL, LIVE = 500, 91, 28, 7, 49, 200
"""About 1,000 transactions a day; days. As the default protocol: 28 to learn from, 21 more up to the cut."""
END = date(2026, 1, 1)
CUT = END - timedelta(days=LIVE)
START = CUT - timedelta(days=MODEL)
WEEKEND, TURN = 1.25, 1.3
"""How much more is paid, at weekends and at the turn of a month."""


def ms(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_MS


@dataclass(frozen=True)
class DriftWorld:
    """`rows`: features, SCORE and FRAUD of all days from START on, as known at the END."""

    transactions: pl.DataFrame
    labels: pl.DataFrame
    model: RandomForestClassifier
    rows: pl.DataFrame
    reference: Reference

    def rebuilt(self, transactions: pl.DataFrame, day: date) -> pl.DataFrame:
        """Rows of one day, of other transactions, scored by the same model."""
        only = transactions["event_date"] == day
        features = build_features(transactions, self.labels, only=only)
        return scored(self.model, features.with_columns(event_date=pl.lit(day)), self.labels)


def drift_world(seed: int) -> DriftWorld:
    with tempfile.TemporaryDirectory() as folder:
        world = World(seed, CUSTOMERS, 2 * CUSTOMERS)
        file = world.history(END, WARM_UP + MODEL + LIVE).write(Path(folder))
        transactions, labels = labelled(HistorySource(file), None, DELAY)
    transactions = _with_seasons(transactions)
    only = transactions["event_date"] >= START
    features = build_features(transactions, labels, only=only)
    features = features.with_columns(transactions.filter(only)["event_date"])
    model = _fit(features, labels)
    rows = scored(model, features, labels)
    day = pl.col("event_date")
    of_model = rows.filter(day < CUT).with_columns(
        pl.when(day >= START + timedelta(days=TRAIN)).then(SCORE).alias(SCORE),
        pl.when(day < CUT - timedelta(days=DELAY)).then(FRAUD).alias(FRAUD),
    )
    reference = reference_of(of_model, list(CATALOG.names), CATALOG.version, DELAY)
    return DriftWorld(transactions, labels, model, rows, reference)


def scored(model: RandomForestClassifier, features: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    probability = model.predict_proba(features.select(CATALOG.names).to_numpy())[:, 1]
    return with_due_labels(features.with_columns(pl.Series(SCORE, probability)), labels, DELAY, ms(END))


def _with_seasons(transactions: pl.DataFrame) -> pl.DataFrame:
    dated = transactions.with_columns(event_date=pl.from_epoch("ts_ms", "ms").dt.date())
    days = dated["event_date"].unique().to_list()
    factors = {
        day: (WEEKEND if day.weekday() > 4 else 1) * (TURN if MONTH_TURN in seasons(day) else 1)
        for day in days
    }
    return dated.with_columns(more(pl.col("event_date").replace_strict(factors, return_dtype=pl.Float64)))


def more(factor: pl.Expr | float) -> pl.Expr:
    return (pl.col("amount_base_minor") * factor).round().cast(pl.Int64)


def _fit(features: pl.DataFrame, labels: pl.DataFrame) -> RandomForestClassifier:
    end = START + timedelta(days=TRAIN)
    rows = with_labels(features.filter(pl.col("event_date") < end), labels, ms(end + timedelta(days=DELAY)))
    model = RandomForestClassifier(
        30, max_depth=8, class_weight="balanced_subsample", random_state=0, n_jobs=2
    )
    return model.fit(rows.select(CATALOG.names).to_numpy(), np.asarray(rows["is_fraud"]))
