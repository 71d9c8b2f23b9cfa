"""A model that decides something of everything: chaos needs decisions and alerts, not good ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bdp_assets.decisions.policy import make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Training
from bdp_assets.training.assemble import assemble
from bdp_assets.training.fit import Fitted, Recipe, blend, calibration_table, fit_members

RECIPE = Recipe(trees=10, max_depth=6, isolation_trees=10, isolation_rows=64, jobs=1)
ROWS, ISOLATION_SHARE = 2_000, 0.0
LARGE_AMOUNT = 200
REVIEW_FROM, DECLINE_FROM = 0.4, 0.7


def small_bundle(directory: Path, seed: int) -> Path:
    """Fit on random rows, of which large amounts are fraud, and write into the folder.

    A function of the seed and the catalog. Returns the folder.
    """
    rng = np.random.default_rng(seed)
    matrix = np.abs(rng.normal(size=(ROWS, len(CATALOG.names)))) * 50
    amount = CATALOG.names.index("amount_value")
    matrix[:, amount] = rng.lognormal(3.5, 1.0, ROWS)
    fraud = matrix[:, amount] > LARGE_AMOUNT
    members = fit_members(matrix, fraud, RECIPE, seed)
    calibration = calibration_table(blend(members.outputs(matrix), ISOLATION_SHARE), fraud)
    training = Training(
        name="chaos",
        trained_at_ms=0,
        catalog_version=CATALOG.version,
        feature_names=tuple(CATALOG.names),
        metrics={},
    )
    fitted = Fitted(members, ISOLATION_SHARE, calibration)
    return assemble(fitted, make_policy(REVIEW_FROM, DECLINE_FROM), training).write(directory)
