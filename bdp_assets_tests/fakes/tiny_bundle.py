"""A real bundle, trained in a second on random rows with the real catalog's features and the real export."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bdp_assets.decisions.policy import Policy, make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Training
from bdp_assets.training.assemble import assemble
from bdp_assets.training.fit import Fitted, Recipe, blend, calibration_table, fit_members

TINY = Recipe(trees=10, max_depth=6, isolation_trees=10, isolation_rows=64, jobs=1)


def tiny_fitted(n_features: int, *, rows: int = 2_000, seed: int = 7, recipe: Recipe = TINY) -> Fitted:
    """An ensemble in which rows with a large first or second feature tend to be fraud."""
    matrix, fraud = tiny_rows(n_features, rows=rows, seed=seed)
    members = fit_members(matrix, fraud, recipe, seed)
    return Fitted(members, 0.1, calibration_table(blend(members.outputs(matrix), 0.1), fraud))


def tiny_rows(n_features: int, *, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """float64 [rows, n_features] and bool [rows]."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, n_features))
    return matrix, matrix[:, 0] + matrix[:, 1] + 0.5 * random.normal(size=rows) > 2.0


def tiny_bundle(directory: Path, *, seed: int = 7, rows: int = 2_000, policy: Policy | None = None) -> Path:
    """Write the bundle into a folder and return it; `Decider.load` takes it."""
    training = Training(
        name="fraud_ensemble",
        trained_at_ms=1_767_225_600_000,
        catalog_version=CATALOG.version,
        feature_names=tuple(CATALOG.names),
        metrics={"average_precision": 0.5},
    )
    fitted = tiny_fitted(len(CATALOG.names), rows=rows, seed=seed)
    return assemble(fitted, policy or make_policy(0.2, 0.6), training).write(directory)
