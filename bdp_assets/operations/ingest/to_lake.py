"""`bdp ingest NAME --to lake`: a source is the past. Dagster backfills it, and the store is filled anew."""

from __future__ import annotations

from collections import Counter

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.source import HistorySource
from bdp_assets.ingest.sources.entry import load
from bdp_assets.ingest.tables import IS_HISTORY, rows
from bdp_assets.ingest.validation import SOURCE as HISTORY
from bdp_assets.operations import materialize
from bdp_assets.operations.ingest.run import Summary
from bdp_assets.operations.progress import Screen
from bdp_assets.operations.rebuild_store import rebuild_store
from bdp_assets.runtime import profile
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings, get_settings


def backfill(settings: Settings, name: str, screen: Screen, summary: Summary) -> None:
    """Make the source the history (BDP_HOME remembers), backfill the missing days, rebuild the store.

    Raises Problem when the platform has another past; MappingError, HistoryMissing, ControlPlaneUnavailable,
    StoreUnavailable, KafkaUnavailable, KafkaRefused, OffsetsGone, Superseded.
    """
    settings = choose(settings, name)
    materialize.history(settings, None, again=False, screen=screen)
    lake = Lake.of(settings)
    rebuild_store(settings, lake, reached=screen.line)
    summary.sent, summary.rejected = outcome(lake)


def choose(settings: Settings, name: str) -> Settings:
    """The settings with the source as the history. Raises Problem, MappingError, HistoryMissing."""
    source = HistorySource.of_entry(load(settings, name))
    _ = source.days  # that it can be read is known before anything is remembered
    if settings.history_source != name:
        _require_no_other(settings)
        profile.remember(settings.home, {"BDP_HISTORY_SOURCE": name})
        get_settings.cache_clear()
    return settings.model_copy(update={"history_source": name})


def outcome(lake: Lake) -> tuple[int, Counter[str]]:
    """Rows of the history that are validated, and those that are not, by reason."""
    passed = len(rows(lake, "validated", ["door"], filters=IS_HISTORY))
    refused = rows(lake, "quarantined", ["error", "field"], filters=pl.col("source_topic") == HISTORY)
    return passed, Counter(f"{error} {field or ''}".strip() for error, field in refused.iter_rows())


def _require_no_other(settings: Settings) -> None:
    """The history door has one past: another source's days would take the place of those that are there."""
    simulated = settings.home / "history" / "transactions.parquet"
    if settings.has_own_history or simulated.exists():
        raise Problem(
            f"The platform in {settings.home} has another past already, and a lake has one.",
            "Set BDP_HOME to another folder (and other ports), or remove this one with `bdp down --wipe`; "
            "live data of more sources comes by `bdp ingest NAME --to topic`.",
        )
