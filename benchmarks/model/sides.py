"""Who predicts: our ensemble by the platform's own training, and the two that the Handbook publishes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import polars as pl
import xgboost
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from bdp_assets.training.pipeline import Source, train
from benchmarks.model.folds import Fold, handbook_names

JOBS = 2


class Classifier(Protocol):
    def fit(self, rows: object, fraud: object) -> object: ...
    def predict_proba(self, rows: object) -> NDArray[np.float64]: ...


def ours(fold: Fold) -> pl.DataFrame:
    """Test rows with the probability that the exported bundle gives them."""
    return train(fold.ours, Source(name="bench", trained_at_ms=0)).test


def random_forest(fold: Fold) -> pl.DataFrame:
    """As the Fraud Detection Handbook publishes it: 100 trees, 20 deep."""
    return _predicted(RandomForestClassifier(100, max_depth=20, random_state=0, n_jobs=JOBS), fold)


def boosted(fold: Fold) -> pl.DataFrame:
    """100 trees, 6 deep, at a rate of 0.1; with what were XGBoost's defaults when the Handbook was written.

    XGBoost 3 has others: histograms, and a base score of its own choice.
    """
    model = xgboost.XGBClassifier(
        n_estimators=100,
        max_depth=6,
        learning_rate=0.1,
        tree_method="exact",
        base_score=0.5,
        random_state=0,
        n_jobs=JOBS,
    )
    return _predicted(model, fold)


def _predicted(model: Classifier, fold: Fold) -> pl.DataFrame:
    names, learned, test = handbook_names(), fold.handbook.train_rows(), fold.handbook.test_rows()
    model.fit(learned.select(names).to_numpy(), learned["is_fraud"].to_numpy())
    probability = model.predict_proba(test.select(names).to_numpy())[:, 1]
    return test.with_columns(probability=pl.Series(probability, dtype=pl.Float64))
