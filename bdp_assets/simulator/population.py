"""Who buys and who sells: customers and merchants as columns of NumPy arrays, drawn once per world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bdp_assets.simulator.places import CATEGORIES, CITIES, ONLINE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PREFERRED = 10
TRANSACTIONS_PER_DAY = 1.95
"""Mean of one customer; 90 days of 1,000 customers make about 175,000 transactions."""


@dataclass(frozen=True)
class Merchants:
    """Sorted by place, so that the merchants of one city are one slice."""

    place: Ints
    category: Ints
    latitude: Floats
    longitude: Floats
    popularity: Floats
    resale: Floats
    first: Ints
    """[places + 1]: the merchants of place p are first[p]:first[p + 1]."""

    def pick(self, rng: np.random.Generator, places: Ints, weights: Floats) -> Ints:
        """One merchant for each place, with odds in proportion to `weights` [merchants]."""
        total = np.concatenate(([0.0], np.cumsum(weights)))
        low, high = total[self.first[places]], total[self.first[places + 1]]
        drawn = np.searchsorted(total, low + rng.random(len(places)) * (high - low), side="right") - 1
        picked: Ints = np.clip(drawn, self.first[places], self.first[places + 1] - 1)
        return picked


@dataclass(frozen=True)
class Customers:
    city: Ints
    trips_per_day: Floats
    stop: Floats
    """Chance that a purchase is the last of its trip; small for the busy ones (company cards, gamers)."""
    busy: NDArray[np.bool_]
    mean_usd: Floats
    """Mean purchase relative to the category's."""
    peak_hour: Floats
    night_share: Floats
    online_share: Floats
    contactless_share: Floats
    device_age: Ints
    """Days into the life of the present device on epoch day 0."""
    preferred: Ints
    """[customers, PREFERRED] merchants near home, the favourite first."""

    def __len__(self) -> int:
        return len(self.city)


@dataclass(frozen=True)
class Population:
    customers: Customers
    merchants: Merchants


def make_population(rng: np.random.Generator, customers: int, merchants: int) -> Population:
    """Draw a population; needs at least one merchant a place.

    Raises:
        ValueError: fewer merchants than there are cities, plus one online.
    """
    if merchants <= ONLINE:
        raise ValueError(
            f"The simulator needs at least {ONLINE + 1} merchants, one for each city; got {merchants}."
        )
    shops = _merchants(rng, merchants)
    return Population(_customers(rng, customers, shops), shops)


def _merchants(rng: np.random.Generator, count: int) -> Merchants:
    weights = np.array([c.weight for c in CATEGORIES])
    category = rng.choice(len(CATEGORIES), count, p=weights / weights.sum())
    sells_online = rng.random(count) < np.array([c.online for c in CATEGORIES])[category]
    place = np.where(sells_online, ONLINE, _cities(rng, count))
    place[: ONLINE + 1] = np.arange(ONLINE + 1)
    order = np.argsort(place, kind="stable")
    place, category = place[order], category[order]
    centre = np.array([(c.latitude, c.longitude) for c in CITIES] + [(np.nan, np.nan)])[place]
    spread = rng.normal(0, 0.08, (count, 2))
    popularity = rng.pareto(1.6, count) + 0.3
    return Merchants(
        place=place,
        category=category,
        latitude=centre[:, 0] + spread[:, 0],
        longitude=centre[:, 1] + spread[:, 1],
        popularity=popularity,
        resale=popularity * np.array([c.resale + 1e-3 for c in CATEGORIES])[category],
        first=np.searchsorted(place, np.arange(ONLINE + 2)),
    )


def _customers(rng: np.random.Generator, count: int, merchants: Merchants) -> Customers:
    city = _cities(rng, count)
    busy = rng.random(count) < 0.05
    stop = np.where(busy, 0.2, 0.6)
    activity = rng.gamma(2.0, 1.0, count) * np.where(busy, 2.0, 1.0)
    return Customers(
        city=city,
        trips_per_day=activity * TRANSACTIONS_PER_DAY / (activity / stop).mean(),
        stop=stop,
        busy=busy,
        mean_usd=np.exp(rng.normal(-0.1, 0.45, count)),
        peak_hour=rng.normal(14.5, 2.5, count),
        night_share=rng.beta(1.2, 20, count),
        online_share=rng.beta(2, 5, count),
        contactless_share=rng.beta(3, 2, count),
        device_age=rng.integers(0, 400, count),
        preferred=_near_home(rng, city, merchants),
    )


def _cities(rng: np.random.Generator, count: int) -> Ints:
    weights = np.array([c.weight for c in CITIES])
    return rng.choice(len(CITIES), count, p=weights / weights.sum())


def _near_home(rng: np.random.Generator, city: Ints, merchants: Merchants) -> Ints:
    """The merchants each customer goes to: popular ones and near ones first (Gumbel top-k)."""
    result = np.empty((len(city), PREFERRED), dtype=np.int64)
    for number, town in enumerate(CITIES):
        here = np.flatnonzero(city == number)
        shops = np.arange(merchants.first[number], merchants.first[number + 1])
        home = np.array([town.latitude, town.longitude]) + rng.normal(0, 0.08, (len(here), 2))
        north = home[:, :1] - merchants.latitude[shops]
        east = home[:, 1:] - merchants.longitude[shops]
        liking = np.log(merchants.popularity[shops]) - np.hypot(north, east) / 0.05
        best = np.argsort(-(liking + rng.gumbel(size=liking.shape)), axis=1)
        result[here] = shops[best[:, np.arange(PREFERRED) % len(shops)]]
    return result
