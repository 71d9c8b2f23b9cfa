"""Fit the members, then blend and calibrate them forward in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score

from bdp_assets.scoring.bundle import Table
from bdp_assets.scoring.tables import PiecewiseLinear
from bdp_assets.training.export import average_path_length

Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]
Progress = Callable[[str], None]

# Never zero: the anomaly score orders the rows on which the forest is silent, such as fraud of a new kind.
ANOMALY_WEIGHTS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
ANOMALY_QUANTILES = np.array([0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
PRECISION_NOISE = 0.005
STRICT_SHARE = 1e-3


class Recipe(Struct, frozen=True, kw_only=True):
    """How the members are grown; logged with every model."""

    trees: int = 100
    max_depth: int = 20
    min_samples_leaf: int = 2
    max_features: float = 0.2
    isolation_trees: int = 100
    isolation_rows: int = 256
    good_per_fraud: int = 100
    """Good transactions kept for each fraud when the forest is grown; calibration sees all of them."""
    tree_rows: int = 12_000
    """Most rows that one tree is grown on: bounds the time and the bundle, whatever the window's size."""
    jobs: int = 2


@dataclass(frozen=True)
class Members:
    """The two fitted models and the table that turns a mean path length into an anomaly score in [0, 1]."""

    forest: RandomForestClassifier
    isolation: IsolationForest
    anomaly: Table

    def outputs(self, rows: Doubles) -> Doubles:
        """float64 [n, 2]: the forest's probability and the anomaly score, by the training library."""
        singles = rows.astype(np.float32)
        probability = self.forest.predict_proba(singles)[:, 1]
        return np.column_stack(
            [probability, PiecewiseLinear(self.anomaly)(mean_path_length(self.isolation, singles))]
        )


@dataclass(frozen=True)
class Fitted:
    """Members with their blend and calibration: what the training library itself predicts."""

    members: Members
    anomaly_weight: float
    calibration: Table

    def predict(self, rows: Doubles) -> Doubles:
        """Calibrated probability, float64 [n], without ONNX: the reference for the exported graphs."""
        return PiecewiseLinear(self.calibration)(blend(self.members.outputs(rows), self.anomaly_weight))


def fit_members(rows: Doubles, fraud: Flags, recipe: Recipe, seed: int) -> Members:
    """Fit on rows float64 [n, n_features] and their labels bool [n]."""
    singles = rows.astype(np.float32)
    kept = sample_good(fraud, recipe.good_per_fraud, seed)
    forest = RandomForestClassifier(
        recipe.trees,
        max_depth=recipe.max_depth,
        min_samples_leaf=recipe.min_samples_leaf,
        max_features=recipe.max_features,
        max_samples=min(recipe.tree_rows, len(kept)),
        n_jobs=recipe.jobs,
        random_state=seed,
    ).fit(singles[kept], fraud[kept])
    isolation = IsolationForest(
        n_estimators=recipe.isolation_trees,
        max_samples=min(recipe.isolation_rows, len(rows)),
        n_jobs=recipe.jobs,
        random_state=seed,
    ).fit(singles)
    return Members(forest, isolation, anomaly_table(mean_path_length(isolation, singles[kept])))


def sample_good(fraud: Flags, good_per_fraud: int, seed: int) -> NDArray[np.integer]:
    """Row numbers, ascending: every fraud and at most `good_per_fraud` good transactions for each."""
    good = np.flatnonzero(~fraud)
    most = good_per_fraud * int(fraud.sum())
    if len(good) > most:
        good = np.random.default_rng(seed).choice(good, most, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(fraud), good]))


def mean_path_length(isolation: IsolationForest, singles: NDArray[np.float32]) -> Doubles:
    """Mean path length over the trees, from the library's own score: score = -2^(-mean / c(max_samples))."""
    normal = average_path_length(np.array([isolation.max_samples_]))[0]
    return np.asarray(-np.log2(-isolation.score_samples(singles)) * normal)


def anomaly_table(lengths: Doubles) -> Table:
    """Share of the training rows that are less anomalous, as a function of the mean path length."""
    knots, first = np.unique(np.quantile(lengths, ANOMALY_QUANTILES), return_index=True)
    if knots.size < 2:
        knots, first = np.array([knots[0], knots[0] + 1.0]), np.array([0, -1])
    return Table(tuple(knots.tolist()), tuple((1.0 - ANOMALY_QUANTILES[first]).tolist()))


def anomaly_weight(outputs: Doubles, fraud: Flags) -> float:
    """Share of the anomaly score in the blend: the smallest that ranks held-out rows best, within noise."""
    precisions = [average_precision_score(fraud, blend(outputs, w)) for w in ANOMALY_WEIGHTS]
    good = max(precisions) - PRECISION_NOISE
    return next(w for w, precision in zip(ANOMALY_WEIGHTS, precisions, strict=True) if precision >= good)


def blend(outputs: Doubles, weight: float) -> Doubles:
    """float64 [n, 2] -> float64 [n], in the same order of operations as `scoring.Ensemble`."""
    return np.asarray((1.0 - weight) * outputs[:, 0] + weight * outputs[:, 1])


def calibration_table(scores: Doubles, fraud: Flags) -> Table:
    """Isotonic regression on held-out rows as a strictly increasing table through the middles of its blocks.

    A block's share is drawn towards the base rate by one row, and the score itself adds a thousandth, so that
    calibration never makes two different scores equal.
    """
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(scores, fraud).predict(scores)
    _, block = np.unique(fitted, return_inverse=True)
    size = np.bincount(block)
    middle = np.bincount(block, scores) / size
    share = np.maximum.accumulate((np.bincount(block, fraud) + fraud.mean()) / (size + 1))
    x = np.concatenate([[0.0], middle, [1.0]])
    y = np.concatenate([[0.0], share, share[-1:]])
    knots, first = np.unique(x, return_index=True)
    values = (1 - STRICT_SHARE) * np.maximum.accumulate(y[first]) + STRICT_SHARE * knots
    return Table(tuple(knots.tolist()), tuple(values.tolist()))
