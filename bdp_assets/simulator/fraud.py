"""How fraud happens: four scenarios, each with its own mechanics; all of them make drafts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from bdp_assets.simulator.drafts import (
    ACCOUNT_TAKEOVER,
    CARD_TESTING,
    CHIP,
    COMPROMISED_MERCHANT,
    ECOMMERCE,
    GENUINE,
    NO_DEVICE,
    STOLEN_CARD,
    draft,
    new_devices,
    running_sum,
)
from bdp_assets.simulator.places import CITIES, ONLINE
from bdp_assets.simulator.population import Floats, Ints, Population
from bdp_assets.simulator.spending import MEAN_USD

SECOND_MS, MINUTE_MS = 1_000, 60_000
GIFT_CARD_USD = 50
COUNTRY = np.array([c.country for c in CITIES])


class Compromise(NamedTuple):
    """Merchants whose terminal or checkout is in a thief's hands, and the share of fraud in their sales."""

    merchant: Ints
    share: Floats


class Takeover(NamedTuple):
    """Customer accounts in a thief's hands: from which city and device they are used."""

    customer: Ints
    city: Ints
    device: Ints


@dataclass(frozen=True)
class Thief:
    """Attacks on many victims at once, each from its own start.

    `pace` stretches the pauses within an attack: 1 in history; a live session of half a minute plays attacks
    faster, so that whole ones are seen.
    """

    rng: np.random.Generator
    population: Population
    pace: float = 1.0

    def stolen_card(self, victims: Ints, starts_ms: Ints) -> pl.DataFrame:
        """The card itself is gone: a burst of dear purchases at shops that are new to it, within hours."""
        sizes = 3 + self.rng.poisson(5, len(victims))
        customer = np.repeat(victims, sizes)
        home = self.population.customers.city[victims]
        elsewhere = self.rng.integers(0, len(CITIES), len(victims))
        city = np.repeat(np.where(self.rng.random(len(victims)) < 0.7, home, elsewhere), sizes)
        merchant = self._resale_shop(city)
        return draft(
            customer=customer,
            merchant=merchant,
            city=city,
            ts_ms=self._times(starts_ms, sizes, np.full(len(customer), 20 * MINUTE_MS)),
            usd=self._dear(customer, merchant, 3.0, 8.0),
            channel=CHIP,
            device=NO_DEVICE,
            kind=STOLEN_CARD,
        )

    def account_takeover(self, accounts: Takeover, starts_ms: Ints, sizes: Ints) -> pl.DataFrame:
        """The login is gone: for days, dear online purchases and gift cards from a foreign, new device."""
        customer = np.repeat(accounts.customer, sizes)
        merchant = self._resale_shop(np.full(len(customer), ONLINE))
        dear = self._dear(customer, merchant, 2.5, 8.0)
        gift_cards = np.ceil(dear / GIFT_CARD_USD) * GIFT_CARD_USD
        return draft(
            customer=customer,
            merchant=merchant,
            city=np.repeat(accounts.city, sizes),
            ts_ms=self._times(starts_ms, sizes, np.full(len(customer), 40 * MINUTE_MS)),
            usd=np.where(self.rng.random(len(customer)) < 0.4, gift_cards, dear),
            channel=ECOMMERCE,
            device=np.repeat(accounts.device, sizes),
            kind=ACCOUNT_TAKEOVER,
        )

    def card_testing(self, victims: Ints, starts_ms: Ints) -> pl.DataFrame:
        """Stolen numbers are tried out: many tiny payments at one web shop within minutes, then a big one."""
        sizes = self.rng.integers(8, 22, len(victims))
        customer = np.repeat(victims, sizes)
        last = np.zeros(len(customer), dtype=bool)
        last[np.cumsum(sizes) - 1] = True
        shops, online = self.population.merchants, np.full(len(victims), ONLINE)
        tried = np.repeat(shops.pick(self.rng, online, shops.popularity), sizes)
        merchant = np.where(last, self._resale_shop(np.full(len(customer), ONLINE)), tried)
        tiny = self.rng.uniform(0.2, 1.5, len(customer))
        return draft(
            customer=customer,
            merchant=merchant,
            city=np.repeat(self.rng.integers(0, len(CITIES), len(victims)), sizes),
            ts_ms=self._times(starts_ms, sizes, np.where(last, 15 * MINUTE_MS, 15 * SECOND_MS)),
            usd=np.where(last, self._dear(customer, merchant, 2.0, 6.0), tiny),
            channel=ECOMMERCE,
            device=np.repeat(new_devices(self.rng, len(victims)), sizes),
            kind=CARD_TESTING,
        )

    def choose_accounts(self, count: int) -> Takeover:
        """Accounts to take over, each from a country that is not the owner's."""
        customer = self.rng.integers(0, len(self.population.customers), count)
        home = COUNTRY[self.population.customers.city[customer]]
        odds = np.where(home[:, None] == COUNTRY, -1.0, self.rng.random((count, len(CITIES))))
        return Takeover(customer, odds.argmax(axis=1), new_devices(self.rng, count))

    def _resale_shop(self, places: Ints) -> Ints:
        return self.population.merchants.pick(self.rng, places, self.population.merchants.resale)

    def _times(self, starts_ms: Ints, sizes: Ints, mean_pause_ms: Ints) -> Ints:
        pauses = self.rng.exponential(mean_pause_ms * self.pace)
        return np.repeat(starts_ms, sizes) + running_sum(pauses, sizes).astype(np.int64)

    def _dear(self, customer: Ints, merchant: Ints, low: float, high: float) -> Floats:
        """So many times what the customer would usually pay there."""
        shop = MEAN_USD[self.population.merchants.category[merchant]]
        usual = np.maximum(shop * self.population.customers.mean_usd[customer], 20.0)
        return usual * self.rng.uniform(low, high, len(customer))


def compromised_merchant(
    rng: np.random.Generator, sales: pl.DataFrame, compromise: Compromise
) -> pl.DataFrame:
    """Turn a share of the honest sales at compromised merchants into fraud, dearer than usual."""
    if len(compromise.merchant) == 0:
        return sales
    merchant, kind = sales["merchant"].to_numpy(), sales["kind"].to_numpy()
    share = np.zeros(max(merchant.max(initial=0), compromise.merchant.max()) + 1)
    share[compromise.merchant] = compromise.share
    hit = (rng.random(len(sales)) < share[merchant]) & (kind == GENUINE)
    dearer = np.where(hit, np.exp(rng.normal(0.6, 0.4, len(sales))), 1.0)
    return sales.with_columns(
        kind=pl.Series(np.where(hit, COMPROMISED_MERCHANT, kind)), usd=pl.col("usd") * pl.Series(dearer)
    )
