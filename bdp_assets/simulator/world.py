"""A simulated world: the same seed gives the same customers, merchants and fraud, on any range of days."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from bdp_assets.simulator.campaigns import Campaigns
from bdp_assets.simulator.labels import report
from bdp_assets.simulator.live import LiveRecord, LiveSession
from bdp_assets.simulator.population import make_population
from bdp_assets.simulator.spending import DAY_MS
from bdp_assets.simulator.wire import customer_id, merchant_id, wire

POPULATION, LABELS = 0, 99
WORLD_FILE = "world.json"
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class History:
    """Days of a world.

    transactions: in the wire shape of `transactions-raw-v1` (amount and timestamp are text), by time.
    labels: columns of `contracts.records.Label`, those known by the end of the days, by `known_at_ms`.
    """

    world: World
    transactions: pl.DataFrame
    labels: pl.DataFrame

    def write(self, directory: Path) -> Path:
        """Write transactions.parquet, labels.parquet and world.json; returns the path of the first."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / WORLD_FILE).write_text(json.dumps(asdict(self.world)))
        self.labels.write_parquet(directory / "labels.parquet")
        self.transactions.write_parquet(directory / "transactions.parquet")
        return directory / "transactions.parquet"


@dataclass(frozen=True)
class World:
    """Customers C000000 on and merchants M00000 on; at least 17 merchants, one for each place."""

    seed: int = 7
    customers: int = 1_000
    merchants: int = 2_000

    @classmethod
    def saved(cls, directory: Path) -> World:
        """The world whose history is in a directory, so that it goes on live. Raises FileNotFoundError."""
        return cls(**json.loads((directory / WORLD_FILE).read_text()))

    @cached_property
    def campaigns(self) -> Campaigns:
        population = make_population(self._rng(POPULATION), self.customers, self.merchants)
        return Campaigns(self.seed, population)

    def history(self, end: date, days: int) -> History:
        """The `days` days before midnight (UTC) at the start of `end`."""
        last = (end - EPOCH).days
        within = pl.col("ts_ms").is_between((last - days) * DAY_MS, last * DAY_MS, closed="left")
        # One day more, since a trip late on a day runs on into the next one.
        drafts = {day: self.day(day) for day in range(last - days - 1, last)}
        labels = [report(self._rng(LABELS, day), frame) for day, frame in drafts.items()]
        known = pl.concat(labels).filter(within, pl.col("known_at_ms") < last * DAY_MS)
        transactions = pl.concat(drafts.values()).filter(within).sort("ts_ms", maintain_order=True)
        return History(
            self,
            wire(self.campaigns.population, transactions),
            known.sort("known_at_ms", maintain_order=True),
        )

    def live(self, start_ms: int, per_second: float = 150.0, bad_share: float = 0.01) -> Iterator[LiveRecord]:
        """Transactions of the same world from `start_ms` (UTC epoch milliseconds) on, without end.

        Sessions that start at different milliseconds never share an id, nor does any share one with history.
        """
        return LiveSession(self.campaigns, start_ms, per_second, bad_share).records()

    def day(self, day: int) -> pl.DataFrame:
        """Drafts (see `drafts.py`) of one epoch day with their ids, and with the truth in `kind`."""
        drafts = self.campaigns.day(day)
        return drafts.with_columns(
            transaction_id=pl.format(
                "T{}{}", pl.lit(day), pl.int_range(len(drafts)).cast(pl.String).str.zfill(6)
            ),
            customer_id=customer_id(pl.col("customer")),
            merchant_id=merchant_id(pl.col("merchant")),
        )

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])


def midnight(now_ms: int) -> date:
    """The UTC day that holds a moment: its midnight is the latest end that history can have."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date()
