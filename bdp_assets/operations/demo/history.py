"""Which past the demo has: the simulator's, or a file of your own; remembered in BDP_HOME/profile.env."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from bdp_assets.ingest.mapping import load_mapping
from bdp_assets.ingest.source import HistorySource
from bdp_assets.runtime import profile
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings, get_settings
from bdp_assets.simulator.world import World, midnight
from bdp_assets.training.split import TEST_DAYS

LEAST_TRAIN_DAYS = 14
"""Of the demo: with fewer a model has too few known frauds to be fitted, calibrated and judged."""


@dataclass(frozen=True)
class Simulated:
    """A world of our own: so many days before today (UTC)."""

    days: int = 90
    customers: int = 1_000
    merchants: int = 2_000
    seed: int = 7

    def prepare(self, home: Path) -> Mapping[str, str]:
        """Write the history's files; returns the settings that name them. Raises Problem: too few days."""
        least = least_days(get_settings().label_delay_days)
        if self.days < least:
            raise Problem(
                f"{self.days} days of history can not train a model.",
                f"Ask for {least} or more: {LEAST_TRAIN_DAYS} to fit it on, {TEST_DAYS} to test it on, and "
                "after both as many days as labels take (BDP_LABEL_DELAY_DAYS).",
            )
        end = midnight(time.time_ns() // 1_000_000)
        world = World(seed=self.seed, customers=self.customers, merchants=self.merchants)
        world.history(end, self.days).write(home / "history")
        return {
            "BDP_RAW_PARTITIONS_START": str(end - timedelta(days=self.days)),
            "BDP_HISTORY_UNTIL": str(end - timedelta(days=1)),
        }


@dataclass(frozen=True)
class OwnFile:
    """Other people's data: history up to and with `until`, what comes after is played as live traffic.

    Without `until`, the last calendar month of the file is the live part.
    """

    file: Path
    mapping: Path | None = None
    until: date | None = None

    def prepare(self, _home: Path) -> Mapping[str, str]:
        """Read the file's first and last day. Raises HistoryMissing, MappingError, Problem."""
        first, last = HistorySource(self.file, load_mapping(self.mapping) if self.mapping else None).days
        until = self.until or last.replace(day=1) - timedelta(days=1)
        if not first <= until < last:
            raise Problem(
                f"The file goes from {first} to {last}; history until {until} leaves one side empty.",
                "Say with UNTIL=YYYY-MM-DD which day is the last of the history.",
            )
        return {
            **self.named(),
            "BDP_RAW_PARTITIONS_START": str(first),
            "BDP_PARTITIONS_END": str(last),
            "BDP_HISTORY_UNTIL": str(until),
        }

    def named(self) -> dict[str, str]:
        """The settings that name the files."""
        files = {"BDP_HISTORY_FILE": self.file, "BDP_HISTORY_MAPPING": self.mapping}
        return {name: str(file.absolute()) for name, file in files.items() if file}


Past = Simulated | OwnFile


def least_days(label_delay_days: int) -> int:
    """Days of history from which a first model can be trained."""
    return LEAST_TRAIN_DAYS + TEST_DAYS + 2 * label_delay_days


def settle(settings: Settings, past: Past | None) -> Settings:
    """The settings with a past in them: the one chosen before, else the one asked for (else a simulated one).

    Raises Problem when this BDP_HOME has another past already.
    """
    if "BDP_RAW_PARTITIONS_START" in (held := profile.read(settings.home)):
        _require_same(settings.home, held, past)
    else:
        profile.remember(settings.home, (past or Simulated()).prepare(settings.home))
    get_settings.cache_clear()
    return get_settings()


def summary(settings: Settings) -> str:
    """What the history file holds, in a line.

    Raises MappingError, HistoryMissing: what can be known to be wrong, before anything has started.
    """
    source = HistorySource.from_settings(settings)
    if source.mapping.labels:
        source.label_rows(source.mapping.labels)
    rows = source.scan().select(pl.len()).collect().item()
    first, last = source.days
    until = settings.history_until or last
    live = f"; what comes after {until} is live traffic" if until < last else ""
    return f"{rows:,} transactions of {first}..{last} in {source.file.name}{live}"


def _require_same(home: Path, held: Mapping[str, str], past: Past | None) -> None:
    if isinstance(past, OwnFile) and not past.named().items() <= held.items():
        raise Problem(
            f"{home} holds the demo of another data set or mapping.",
            "Remove that with `bdp down --wipe`, or set BDP_HOME to another folder (and other ports).",
        )
