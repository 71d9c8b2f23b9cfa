"""Which past the demo has: the simulator's, or a file of your own; remembered in BDP_HOME/profile.env."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bdp_assets.ingest.mapping import load_mapping
from bdp_assets.ingest.source import HistorySource
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import PROFILE, Settings, get_settings
from bdp_assets.simulator.world import World, midnight


@dataclass(frozen=True)
class Simulated:
    """A world of our own: so many days before today (UTC)."""

    days: int = 90
    customers: int = 1_000
    merchants: int = 2_000
    seed: int = 7

    def prepare(self, home: Path) -> Mapping[str, str]:
        """Write the history's files; returns the settings that name them."""
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
        named = {"BDP_HISTORY_FILE": str(self.file.absolute())}
        if self.mapping:
            named["BDP_HISTORY_MAPPING"] = str(self.mapping.absolute())
        return {
            **named,
            "BDP_RAW_PARTITIONS_START": str(first),
            "BDP_PARTITIONS_END": str(last),
            "BDP_HISTORY_UNTIL": str(until),
        }


Past = Simulated | OwnFile


def settle(settings: Settings, past: Past | None) -> Settings:
    """The settings with a past in them: the one chosen before, else the one asked for (else a simulated one).

    Raises Problem when this BDP_HOME has another past already.
    """
    profile = settings.home / PROFILE
    if profile.exists():
        _require_same(profile, past)
    else:
        named = (past or Simulated()).prepare(settings.home)
        lines = [f"{name}={value}\n" for name, value in named.items()]
        profile.write_text(
            "# Written by `make demo`: the history that this BDP_HOME holds.\n" + "".join(lines)
        )
    get_settings.cache_clear()
    return get_settings()


def _require_same(profile: Path, past: Past | None) -> None:
    if not isinstance(past, OwnFile):
        return
    if f"BDP_HISTORY_FILE={past.file.absolute()}\n" not in profile.read_text():
        raise Problem(
            f"{profile.parent} holds the demo of another data set.",
            "Remove that with `bdp down --wipe`, or set BDP_HOME to another folder (and other ports).",
        )
