"""A tiny model with its test, as `training.pipeline.train` returns it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from bdp_assets.decisions.policy import make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.training.evaluate import metrics
from bdp_assets.training.fit import Recipe
from bdp_assets.training.pipeline import TrainedModel, plots_of
from bdp_assets.training.split import TEST_DAYS, Split
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows

_plots: dict[str, bytes] = {}
"""Of the first model, for all: drawing takes two seconds, and nobody looks."""


def trained(
    folder: Path,
    *,
    shuffled: bool = False,
    catalog_version: str = CATALOG.version,
    rows: int = 2_000,
    test_days: int = TEST_DAYS,
    snapshot: str = "features@1 labels@1 enriched@1",
) -> TrainedModel:
    """A tested model; a shuffled one says that it scored at random. `rows`: those that it learned from."""
    tiny = Bundle.read(tiny_bundle(folder, rows=rows))
    training = msgspec.structs.replace(
        tiny.manifest.training, catalog_version=catalog_version, snapshot_version=snapshot
    )
    bundle = Bundle.of(training, tiny.manifest.members, tiny.manifest.calibration, tiny.files)
    matrix, fraud = tiny_rows(len(CATALOG.names), rows=1_000, seed=4)
    scores = Ensemble(bundle).score(matrix)
    test = pl.DataFrame(
        {
            "transaction_id": [f"t{i}" for i in range(1_000)],
            "customer_id": [f"c{i}" for i in range(1_000)],
            "ts_ms": np.arange(1_000) * 600_000,
            **dict(zip(CATALOG.names, matrix.T, strict=True)),
            "is_fraud": fraud,
            "probability": np.random.default_rng(0).permutation(scores) if shuffled else scores,
        }
    )
    policy = make_policy(0.2, 0.6)
    split = Split.starting(0, train_days=7, delay_days=7, test_days=test_days)
    measured = bundle.with_metrics(metrics(test))
    if not _plots:
        _plots.update(plots_of(measured, policy, test))
    return TrainedModel(measured, policy, split, split.test_end_ms, Recipe(), 0, test, _plots)
