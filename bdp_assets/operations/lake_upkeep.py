"""Upkeep of all tables of the lake, which keeps what models were trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.lake_upkeep import Upkeep, tend
from bdp_assets.clients.registry import (
    CHALLENGER,
    CHAMPION,
    SNAPSHOT,
    SNAPSHOT_ERASED,
    RegisteredVersion,
)
from bdp_assets.ingest.tables import TABLES
from bdp_assets.settings import Settings
from bdp_assets.training.from_lake import versions_of

_IN_USE = {CHAMPION, CHALLENGER}


def keep_up(
    settings: Settings, lake: Lake, models: Sequence[RegisteredVersion]
) -> Iterator[tuple[str, Upkeep]]:
    """Tend each table that there is, one after the other. `models`: all registered versions."""
    named = named_versions(models, datetime.now(UTC) - timedelta(days=settings.lake_snapshot_days))
    retention = timedelta(days=settings.lake_retention_days)
    for table in TABLES:
        if lake.exists(table):
            yield table, tend(lake, table, retention=retention, named=named.get(table, ()))


def named_versions(models: Sequence[RegisteredVersion], since: datetime) -> Mapping[str, Collection[int]]:
    """Versions of each table in the snapshots of models that are in use, or were registered `since` then.

    Snapshots that lost rows to an erasure are none any more.
    """
    found: dict[str, set[int]] = {}
    for model in models:
        recent = model.created_ms >= since.timestamp() * 1000
        erased = SNAPSHOT_ERASED in model.tags
        if not erased and (recent or _IN_USE.intersection(model.aliases)):
            named = versions_of(model.tags.get(SNAPSHOT, "")) or {}
            for table, version in named.items():
                found.setdefault(table, set()).add(version)
    return found


def as_table(done: Mapping[str, Upkeep]) -> pl.DataFrame:
    """A row for each table: how it is now, and what was done."""
    return pl.DataFrame([_line(table, upkeep) for table, upkeep in done.items()])


def _line(table: str, done: Upkeep) -> dict[str, object]:
    now = done.after
    return {
        "table": table,
        "rows": now.rows,
        "MB": round(now.size / 2**20, 1),
        "files": now.files,
        "files before": done.before.files,
        "small files": now.small_files,
        "files deleted": done.deleted_files,
        "versions": f"{done.oldest_version}-{now.version}",
        "kept for models": " ".join(map(str, done.kept)),
        "gone, though named": " ".join(map(str, done.gone)),
        "put off": "others were writing" if done.deferred else "",
    }
