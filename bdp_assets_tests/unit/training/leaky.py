"""A small world in the Handbook's shape, with a fold of it that training reads."""

from __future__ import annotations

from datetime import date

from bdp_assets.training.early_labels import History
from bdp_assets.training.split import TrainingData
from benchmarks.features import synthetic
from benchmarks.features.data import prepared
from benchmarks.model.folds import folds


def fold() -> tuple[TrainingData, History]:
    given = prepared(synthetic.handbook(rows=40_000, customers=1_600, terminals=800), "made up", made_up=True)
    [found] = folds(given, [date(2018, 7, 25)])
    return found.ours, History(given.transactions, given.labels)
