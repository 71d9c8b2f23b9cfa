"""Training data and its source from the lake's tables."""

from __future__ import annotations

import subprocess
from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake, LakeSnapshot, TableMissing
from bdp_assets.features.catalog import CATALOG
from bdp_assets.settings import Settings
from bdp_assets.training.protocols import LATEST, Plan
from bdp_assets.training.split import KEY, Split, TrainingData, TrainingError, day_of, midnight_after

FEATURES, LABELS, ENRICHED = "features", "labels", "enriched"
READ = (FEATURES, LABELS, ENRICHED)
"""Tables that a model is made of; the leak guard reads the transactions of the last one."""
BACKFILL = "Materialise raw to features in Dagster, or run `make demo`."


def lake_data(lake: Lake, label_delay_days: int, plan: Plan = LATEST) -> TrainingData:
    """Features and labels as they were known at the cut: by default the midnight after the last transaction.

    Raises:
        TrainingError: a table is missing or empty, its files were deleted, its features are of another
            catalog, or the cut lies behind its end.
    """
    try:
        return _lake_data(lake, label_delay_days, plan)
    except FileNotFoundError as error:
        raise TrainingError(
            f"files of {snapshot(lake)} are deleted: the lake keeps versions for BDP_LAKE_RETENTION_DAYS, "
            "and those of models for BDP_LAKE_SNAPSHOT_DAYS"
        ) from error


def _lake_data(lake: Lake, label_delay_days: int, plan: Plan) -> TrainingData:
    try:
        features, labels = lake.scan(FEATURES), lake.read(LABELS)
    except TableMissing as error:
        raise TrainingError(f"there is nothing to train on yet ({error}). {BACKFILL}") from error
    last_ms = _last_ms(features, plan.until_ms)
    split, cut = plan.windows(last_ms, label_delay_days)
    _refuse_future(split, cut, midnight_after(last_ms))
    wanted = (pl.col("catalog_version") == CATALOG.version) & pl.col("ts_ms").is_between(
        split.train_start_ms, cut, closed="left"
    )
    columns = ["transaction_id", "customer_id", "ts_ms", *CATALOG.names]
    # The lake keeps no order, and a forest draws its rows by their numbers: one lake must give one model.
    rows = features.filter(wanted).select(columns).sort("ts_ms", *KEY).collect()
    return TrainingData(rows, labels.sort("known_at_ms", *KEY, "is_fraud"), split, cut)


def _refuse_future(split: Split, cut_ms: int, end_ms: int) -> None:
    """The lake knows labels up to its end (midnight), and a file all of them: so this is no rule of plans."""
    if cut_ms > end_ms:
        latest_start = end_ms - (split.due_ms - split.train_start_ms)
        raise TrainingError(
            f"the lake ends at {day_of(end_ms)}, and frauds told later would count as good: the latest "
            f"--start with these lengths is {day_of(latest_start)}, and the latest --cut {day_of(end_ms)}"
        )


def _last_ms(features: pl.LazyFrame, until_ms: int | None) -> int:
    """Time of the last transaction, or of the last one before `until_ms`."""
    fits = features.filter(catalog_version=CATALOG.version)
    if until_ms is not None:
        fits = fits.filter(pl.col("ts_ms") < until_ms)
    last: int | None = fits.select(pl.col("ts_ms").max()).collect().item()
    if last is None:
        when = "" if until_ms is None else f" before {day_of(until_ms)}"
        raise TrainingError(
            f"the lake has no features of catalog {CATALOG.version}, which this code reads{when}. {BACKFILL}"
        )
    return last


def snapshot(lake: Lake) -> str:
    """Versions of the tables that a model is made of, e.g. `features@12 labels@3 enriched@7`."""
    return " ".join(f"{table}@{lake.version(table)}" for table in READ if lake.exists(table))


def lake_of(settings: Settings, wanted: str | None) -> Lake:
    """The lake as it is, or with its tables as a model's snapshot names them. Raises TrainingError."""
    if wanted is None:
        return Lake.of(settings)
    versions = versions_of(wanted)
    if versions is None:
        raise TrainingError(
            "that is no snapshot of the lake: it looks like `features@12 labels@3 enriched@7`, as "
            "`bdp models show VERSION` shows it"
        )
    lake = LakeSnapshot(settings.lake, versions, settings.lake_options)
    try:
        snapshot(lake)
    except TableMissing as error:
        raise TrainingError(str(error)) from error
    return lake


def versions_of(named: str) -> dict[str, int] | None:
    """Version of each table that a snapshot of the lake names; None when it is none, but a file's digest."""
    versions = dict(part.partition("@")[::2] for part in named.split())
    if not versions or not versions.keys() <= set(READ) or not all(map(str.isdigit, versions.values())):
        return None
    return {table: int(version) for table, version in versions.items()}


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
