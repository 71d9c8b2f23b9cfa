from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import RegisteredVersion
from bdp_assets.operations.lake_upkeep import as_table, keep_up, named_versions
from bdp_assets.settings import Settings

NOW = datetime.now(UTC)
YEARS = 3 * 365


def model(snapshot: str | None, days_ago: int = 0, *aliases: str) -> RegisteredVersion:
    tags = {} if snapshot is None else {"snapshot_version": snapshot}
    created_ms = int((NOW - timedelta(days=days_ago)).timestamp() * 1000)
    return RegisteredVersion("1", aliases, created_ms, {}, tags, "run")


def test_versions_of_recent_models_and_of_those_in_use_are_named() -> None:
    models = [
        model("features@12 labels@3 enriched@7"),
        model("features@13 labels@3", 29),
        model("features@2", 31),
        model("features@1", YEARS, "champion"),
        model("labels@1", YEARS, "challenger"),
        model("enriched@1", YEARS, "favourite"),
    ]
    named = named_versions(models, NOW - timedelta(days=30))
    assert named == {"features": {1, 12, 13}, "labels": {1, 3}, "enriched": {7}}


def test_models_of_files_name_nothing() -> None:
    files = [model("transactions.parquet@0123456789ab"), model("none"), model(""), model(None)]
    assert named_versions(files, NOW - timedelta(days=30)) == {}


def test_every_table_that_is_there_is_tended_and_shown(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    row = pl.DataFrame({"transaction_id": ["t"], "event_date": [date(2026, 3, 1)]})
    for table in ("features", "labels"):
        for _ in range(3):
            lake.append(table, row)
    # A trained model names the version before the last; nothing is old enough to be deleted.
    done = dict(keep_up(Settings(lake_url=str(tmp_path)), lake, [model("features@1 labels@99")]))
    shown = as_table(done).select(
        "table", "rows", "files before", "files", "files deleted", "kept for models"
    )
    assert shown.rows() == [("features", 3, 3, 1, 0, "1"), ("labels", 3, 3, 1, 0, "")]
    assert list(done["labels"].gone) == [99]
    assert len(lake.read("features", version=1)) == 2
