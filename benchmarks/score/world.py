"""What the sides are given: the features of all transactions, and members grown in this run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.decisions.tuning import COSTS
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.runtime.problems import Problem
from bdp_assets.scoring.bundle import Bundle, Training
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.scoring.graphs import Graphs
from bdp_assets.training.assemble import assemble
from bdp_assets.training.fit import Fitted, Recipe
from bdp_assets.training.pipeline import fit_and_tune
from bdp_assets.training.split import DAY_MS, TrainingError, with_labels
from benchmarks.features.data import Given

CORES = os.cpu_count() or 1
TRAIN_DAYS = 28
"""As many days as `bdp train` grows members on."""


@dataclass(frozen=True)
class World:
    """`features`: as `bdp features build` writes them; `matrix`: the same, row by row."""

    features: pl.DataFrame
    matrix: NDArray[np.float64]
    fitted: Fitted
    bundle: Bundle
    ensemble: Ensemble
    graphs: Graphs

    def describe(self) -> dict[str, object]:
        return {
            "features": self.matrix.shape[1],
            "trained_on_days": TRAIN_DAYS,
            "members": {
                one.name: {"weight": one.weight, "graph_bytes": len(self.bundle.file(one.file))}
                for one in self.bundle.manifest.members
            },
        }


def world(given: Given, say: Callable[[str], None], recipe: Recipe | None = None) -> World:
    """`recipe`: None is the platform's own. Raises Problem."""
    say("features of all rows")
    features = build_features(given.transactions, given.labels, CATALOG)
    say("growing the members")
    fitted, bundle = _trained(features, given, recipe or Recipe(jobs=CORES))
    matrix = np.ascontiguousarray(features.select(CATALOG.names).to_numpy())
    return World(features, matrix, fitted, bundle, Ensemble.of(bundle), Graphs(bundle))


def _trained(features: pl.DataFrame, given: Given, recipe: Recipe) -> tuple[Fitted, Bundle]:
    """By the platform's own training, on days of the middle, where windows have a history."""
    start = int(features["ts_ms"].quantile(0.5, "nearest"))  # type: ignore[arg-type]
    rows = features.filter(pl.col("ts_ms").is_between(start, start + TRAIN_DAYS * DAY_MS))
    known_at = int(given.labels["known_at_ms"].max())  # type: ignore[arg-type]
    try:
        labelled = with_labels(rows, given.labels, known_at)
        fitted, policy = fit_and_tune(labelled, recipe, COSTS, seed=0, progress=lambda _: None)
    except TrainingError as error:
        raise Problem(f"No model can be trained: {error}", "Name a file with more transactions.") from None
    training = Training(
        name="bench",
        trained_at_ms=0,
        catalog_version=CATALOG.version,
        feature_names=tuple(CATALOG.names),
        metrics={},
    )
    return fitted, assemble(fitted, policy, training)
