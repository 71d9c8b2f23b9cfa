"""Which fraud campaigns are on: drawn per epoch day, so that any range of days sees the same ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from bdp_assets.simulator.fraud import Compromise, Takeover, Thief, compromised_merchant
from bdp_assets.simulator.places import CITIES, ONLINE
from bdp_assets.simulator.population import TRANSACTIONS_PER_DAY, Floats, Ints, Population
from bdp_assets.simulator.spending import DAY_MS, shopping_day, travel

FRAUD_SHARE = 0.0105
TAKEOVER_DAYS, COMPROMISE_DAYS = (7, 12), (14, 21)
TAKEOVER_PER_DAY = 1.2
COMPROMISE_SHARE = (0.5, 0.9)
TRAVEL, SHOPPING, STOLEN, TESTING, TAKEOVERS, COMPROMISES = range(1, 7)
"""Streams of random numbers: each part of a day has its own, so that none shifts another."""


@dataclass(frozen=True)
class Campaigns:
    """Draws every part of a day of the world that `seed` and `population` make."""

    seed: int
    population: Population

    def day(self, day: int) -> pl.DataFrame:
        """All drafts of what begins on one epoch day, by time; some of it runs on into the next."""
        genuine = shopping_day(self._rng(SHOPPING, day), self.population, self.cities(day), day)
        sold = compromised_merchant(self._rng(COMPROMISES, day, 1), genuine, self.compromises(day))
        parts = [sold, self._stolen(day), self._tested(day), self._taken_over(day)]
        in_two_days = pl.concat(parts).filter(pl.col("ts_ms") < (day + 2) * DAY_MS)
        return in_two_days.sort("ts_ms", maintain_order=True)

    def _stolen(self, day: int) -> pl.DataFrame:
        thief = Thief(self._rng(STOLEN, day), self.population)
        return thief.stolen_card(*self._victims(thief.rng, day, 0.25 / 8))

    def _tested(self, day: int) -> pl.DataFrame:
        thief = Thief(self._rng(TESTING, day), self.population)
        return thief.card_testing(*self._victims(thief.rng, day, 0.20 / 14.5))

    def _taken_over(self, day: int) -> pl.DataFrame:
        thief, accounts = Thief(self._rng(TAKEOVERS, day), self.population), self.takeovers(day)
        starts = day * DAY_MS + thief.rng.integers(0, DAY_MS, len(accounts.customer))
        sizes = thief.rng.poisson(TAKEOVER_PER_DAY, len(accounts.customer))
        return thief.account_takeover(accounts, starts, sizes)

    def cities(self, day: int) -> Ints:
        """Where each customer is on that day."""
        week, weekday = divmod(day, 7)
        return travel(self._rng(TRAVEL, week), self.population.customers, weekday)

    def takeovers(self, day: int) -> Takeover:
        """Accounts in the hands of thieves on that day."""
        found = []
        for start in range(day - TAKEOVER_DAYS[1] + 1, day + 1):
            rng = self._rng(TAKEOVERS, start, 1)
            mean_size = TAKEOVER_PER_DAY * sum(TAKEOVER_DAYS) / 2
            due = _due(start, self._daily_fraud * 0.25 / mean_size)
            accounts = Thief(rng, self.population).choose_accounts(due)
            on = start + rng.integers(TAKEOVER_DAYS[0], TAKEOVER_DAYS[1] + 1, len(accounts.customer)) > day
            found.append(Takeover(*(column[on] for column in accounts)))
        return Takeover(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def compromises(self, day: int) -> Compromise:
        """Compromised merchants on that day."""
        sales = self._expected_sales()
        relative = sales / sales.mean()
        odds = ((relative > 1.5) & (relative < 5)).astype(float)  # busy, yet not the best guarded
        odds /= odds.sum()
        fraud_each = (odds * sales).sum() * sum(COMPROMISE_DAYS) / 2 * sum(COMPROMISE_SHARE) / 2
        found = []
        for start in range(day - COMPROMISE_DAYS[1] + 1, day + 1):
            rng = self._rng(COMPROMISES, start)
            count = _due(start, self._daily_fraud * 0.30 / fraud_each)
            merchant, share = rng.choice(len(sales), count, p=odds), rng.uniform(*COMPROMISE_SHARE, count)
            on = start + rng.integers(COMPROMISE_DAYS[0], COMPROMISE_DAYS[1] + 1, count) > day
            found.append(Compromise(merchant[on], share[on]))
        return Compromise(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    @property
    def _daily_fraud(self) -> float:
        return FRAUD_SHARE * TRANSACTIONS_PER_DAY * len(self.population.customers)

    def _victims(self, rng: np.random.Generator, day: int, attacks_each: float) -> tuple[Ints, Ints]:
        count = _due(day, self._daily_fraud * attacks_each)
        victims = rng.integers(0, len(self.population.customers), count)
        return victims, day * DAY_MS + rng.integers(0, DAY_MS, count)

    def _expected_sales(self) -> Floats:
        """Rough number of sales a day of each merchant."""
        people, shops = self.population.customers, self.population.merchants
        daily = TRANSACTIONS_PER_DAY * len(people)
        online = float(people.online_share.mean())
        by_city = np.bincount(people.city, minlength=len(CITIES)) / len(people)
        by_place = daily * np.append((1 - online) * by_city, online)
        popularity = np.bincount(shops.place, shops.popularity, ONLINE + 1)
        sales: Floats = by_place[shops.place] * shops.popularity / popularity[shops.place]
        return sales

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])


def _due(day: int, per_day: float) -> int:
    """How many campaigns begin on a day: evenly spread, so that every week has its share."""
    return int((day + 1) * per_day) - int(day * per_day)
