"""What honest customers do: shopping trips by day, with the noise that makes fraud hard to tell from life."""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.simulator.drafts import (
    ATM,
    CHIP,
    CONTACTLESS,
    ECOMMERCE,
    GENUINE,
    NO_DEVICE,
    draft,
    new_devices,
    running_sum,
)
from bdp_assets.simulator.places import CATEGORIES, CITIES, ONLINE
from bdp_assets.simulator.population import PREFERRED, Customers, Floats, Ints, Population

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MEAN_USD = np.array([c.mean_usd for c in CATEGORIES])
CASH = next(n for n, c in enumerate(CATEGORIES) if c.name == "cash")
UTC_OFFSET_H = np.array([c.utc_offset_h for c in CITIES])
WEEKDAY = (0.95, 0.95, 1.0, 1.0, 1.15, 1.2, 0.75)
HASTE, HASTE_BUSY = np.log(6 * 60_000), np.log(60_000)
"""Median pause within a trip, in log milliseconds."""
RHYTHM_H = 3.2
"""Standard deviation of the hour of a purchase around the customer's own peak."""


def shopping_day(rng: np.random.Generator, population: Population, away: Ints, day: int) -> pl.DataFrame:
    """Genuine transactions of one UTC day (epoch day number); `away` is the city each customer is in."""
    people = population.customers
    factor = WEEKDAY[(day + 3) % 7]  # epoch day 0 was a Thursday
    trips = np.repeat(np.arange(len(people)), rng.poisson(people.trips_per_day * factor))
    sizes = rng.geometric(people.stop[trips])
    buyer = np.repeat(trips, sizes)
    # Some trips are a stroll, others a row of tickets or one order in several charges, seconds apart.
    haste_ms = np.minimum(rng.lognormal(np.where(people.busy[trips], HASTE_BUSY, HASTE), 1.7), HOUR_MS)
    pause = rng.exponential(np.repeat(haste_ms, sizes))
    into_trip = running_sum(pause, sizes) - np.repeat(pause[np.cumsum(sizes) - sizes], sizes)
    start = np.repeat(_time_of_day(rng, people, trips, away), sizes)
    return purchases(rng, population, buyer, away[buyer], day * DAY_MS + (start + into_trip).astype(np.int64))


def purchases(
    rng: np.random.Generator, population: Population, buyer: Ints, city: Ints, ts_ms: Ints
) -> pl.DataFrame:
    """Genuine purchases of the given customers at the given times and cities."""
    people, shops = population.customers, population.merchants
    online = rng.random(len(buyer)) < people.online_share[buyer]
    usual = (city == people.city[buyer]) & (rng.random(len(buyer)) < 0.8)
    favourite = np.minimum(rng.geometric(0.25, len(buyer)) - 1, PREFERRED - 1)
    anywhere = shops.pick(rng, np.where(online, ONLINE, city), shops.popularity)
    merchant = np.where(usual & ~online, people.preferred[buyer, favourite], anywhere)
    category = shops.category[merchant]
    usd = MEAN_USD[category] * people.mean_usd[buyer] * np.exp(rng.normal(-0.1, 0.45, len(buyer)))
    splurges = rng.random(len(buyer)) < 0.015
    usd *= np.where(splurges, rng.uniform(3, 8, len(buyer)), 1.0)
    usd = np.where(category == CASH, np.ceil(usd / 20) * 20, usd)
    tapped = rng.random(len(buyer)) < people.contactless_share[buyer]
    in_person = np.where(category == CASH, ATM, np.where(tapped & (usd < 150), CONTACTLESS, CHIP))
    return draft(
        customer=buyer,
        merchant=merchant,
        city=city,
        ts_ms=ts_ms,
        usd=usd,
        channel=np.where(online, ECOMMERCE, in_person),
        device=np.where(online, own_devices(rng, people, buyer, ts_ms), NO_DEVICE),
        kind=GENUINE,
    )


def own_devices(rng: np.random.Generator, people: Customers, buyer: Ints, ts_ms: Ints) -> Ints:
    """The buyer's phone or laptop; replaced every 400 days, and now and then a borrowed one."""
    generation = (ts_ms // DAY_MS + people.device_age[buyer]) // 400
    second = (rng.random(len(buyer)) < 0.2).astype(np.int64)
    own = (buyer * 499 + generation * 2 + second) % 50_000_000
    return np.where(rng.random(len(buyer)) < 0.015, new_devices(rng, len(buyer)), own)


def travel(rng: np.random.Generator, people: Customers, weekday: int) -> Ints:
    """City of each customer on one day of a week (0..6); the generator must be seeded by the week."""
    leaves = rng.random(len(people)) < 0.07
    first = rng.integers(0, 5, len(people))
    days = rng.integers(2, 6, len(people))
    to = rng.integers(0, len(CITIES), len(people))
    there = leaves & (first <= weekday) & (weekday < first + days)
    return np.where(there, to, people.city)


def _time_of_day(rng: np.random.Generator, people: Customers, buyer: Ints, city: Ints) -> Floats:
    """Milliseconds into the UTC day at which each trip begins."""
    by_day = rng.normal(people.peak_hour[buyer], RHYTHM_H)
    by_night = rng.uniform(0, 6, len(buyer))
    local = np.where(rng.random(len(buyer)) < people.night_share[buyer], by_night, by_day)
    utc: Floats = (local - UTC_OFFSET_H[city[buyer]]) % 24 * HOUR_MS
    return utc
