"""Training data and its source from the lake's tables."""

from __future__ import annotations

import subprocess
from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake, TableMissing
from bdp_assets.features.catalog import CATALOG
from bdp_assets.settings import Settings
from bdp_assets.training.protocols import LATEST, Plan
from bdp_assets.training.split import KEY, TrainingData, TrainingError

FEATURES, LABELS = "features", "labels"
BACKFILL = "Materialise raw to features in Dagster, or run `make demo`."


def lake_data(settings: Settings, plan: Plan = LATEST) -> TrainingData:
    """Features and labels as they were known at the cut: by default the midnight after the last transaction.

    Raises:
        TrainingError: a table is missing or empty, or its features are of another catalog.
    """
    lake = Lake(settings.lake)
    try:
        features, labels = lake.scan(FEATURES), lake.read(LABELS)
        last_ms = (
            features.filter(catalog_version=CATALOG.version).select(pl.col("ts_ms").max()).collect().item()
        )
    except TableMissing as error:
        raise TrainingError(f"there is nothing to train on yet ({error}). {BACKFILL}") from error
    if last_ms is None:
        raise TrainingError(
            f"the lake has no features of catalog {CATALOG.version}, which this code reads. {BACKFILL}"
        )
    split, cut = plan.windows(last_ms, settings.label_delay_days)
    wanted = (pl.col("catalog_version") == CATALOG.version) & (pl.col("ts_ms") >= split.train_start_ms)
    columns = ["transaction_id", "customer_id", "ts_ms", *CATALOG.names]
    # The lake keeps no order, and a forest draws its rows by their numbers: one lake must give one model.
    rows = features.filter(wanted).select(columns).sort("ts_ms", *KEY).collect()
    return TrainingData(rows, labels.sort("known_at_ms", *KEY, "is_fraud"), split, cut)


def snapshot(settings: Settings) -> str:
    """Versions of the tables that a model is trained on, e.g. `features@12 labels@3`."""
    lake = Lake(settings.lake)
    return " ".join(f"{table}@{lake.version(table)}" for table in (FEATURES, LABELS))


def git_sha() -> str | None:
    """Commit of this code, with `-dirty` where files differ from it; None outside a git checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()
