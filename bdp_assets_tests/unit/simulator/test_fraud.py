"""Each fraud scenario has its own mechanics, seen in the days that a world makes."""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.simulator.drafts import (
    ACCOUNT_TAKEOVER,
    CARD_TESTING,
    COMPROMISED_MERCHANT,
    ECOMMERCE,
    GENUINE,
    STOLEN_CARD,
)
from bdp_assets.simulator.fraud import COUNTRY, Thief
from bdp_assets.simulator.world import World

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def _of(truth: pl.DataFrame, kind: int) -> pl.DataFrame:
    return truth.filter(pl.col("kind") == kind).sort("ts_ms")


def test_about_one_in_a_hundred_is_fraud_of_every_kind(truth: pl.DataFrame) -> None:
    share = (truth["kind"] != GENUINE).mean()
    assert isinstance(share, float)
    assert 0.007 < share < 0.014
    counts = dict(truth["kind"].value_counts().iter_rows())
    assert all(counts[kind] > 30 for kind in range(1, 5))


def test_a_stolen_card_buys_dear_things_within_hours(world: World) -> None:
    thief = Thief(np.random.default_rng(1), world.campaigns.population)
    victims = np.arange(100)
    spree = thief.stolen_card(victims, np.zeros(100, dtype=np.int64))
    attacks = spree.group_by("customer").agg(pl.len(), pl.col("ts_ms").max(), pl.col("usd").median())
    assert attacks["len"].min() >= 3  # type: ignore[operator]
    assert (attacks["ts_ms"] < 12 * HOUR_MS).mean() > 0.9  # type: ignore[operator]
    assert attacks["usd"].median() > 150  # type: ignore[operator]


def test_a_taken_over_account_pays_online_from_abroad_with_one_new_device(
    world: World, truth: pl.DataFrame
) -> None:
    home = world.campaigns.population.customers.city
    frauds = _of(truth, ACCOUNT_TAKEOVER)
    assert frauds["channel"].unique().to_list() == [ECOMMERCE]
    assert (COUNTRY[frauds["city"]] != COUNTRY[home[frauds["customer"]]]).all()
    genuine = _of(truth, GENUINE)["device"]
    assert not frauds["device"].is_in(genuine.implode()).any()
    spans = frauds.group_by("device").agg(days=(pl.col("ts_ms").max() - pl.col("ts_ms").min()) / DAY_MS)
    assert 5 < spans["days"].max() < 14  # type: ignore[operator]


def test_card_testing_is_many_tiny_payments_in_minutes_and_then_a_big_one(truth: pl.DataFrame) -> None:
    attacks = _of(truth, CARD_TESTING).group_by("device").agg(pl.col("usd"), pl.col("ts_ms"))
    assert attacks.height >= 5
    for usd, ts_ms in attacks.select("usd", "ts_ms").iter_rows():
        assert len(usd) >= 8
        assert max(usd[:-1]) < 2
        assert usd[-1] > 20
        assert ts_ms[-2] - ts_ms[0] < 15 * 60_000


def test_a_compromised_merchant_is_so_for_two_to_three_weeks(truth: pl.DataFrame) -> None:
    frauds = _of(truth, COMPROMISED_MERCHANT)
    per_day = frauds.group_by("merchant").agg(
        pl.len(), span=(pl.col("ts_ms").max() - pl.col("ts_ms").min()) / DAY_MS
    )
    busiest = per_day.sort("len").tail(1)
    assert busiest["len"][0] > 10
    assert 7 < busiest["span"][0] <= 21
    merchant, (first, last) = busiest["merchant"][0], (frauds["ts_ms"].min(), frauds["ts_ms"].max())
    sales = truth.filter(pl.col("merchant") == merchant, pl.col("ts_ms").is_between(first, last))
    assert (sales["kind"] == GENUINE).any(), "part of its sales stay honest"


def test_honest_customers_look_suspicious_too(world: World, truth: pl.DataFrame) -> None:
    genuine = _of(truth, GENUINE)
    home = world.campaigns.population.customers.city
    abroad = COUNTRY[genuine["city"]] != COUNTRY[home[genuine["customer"]]]
    fast = genuine.sort("customer", "ts_ms").select(
        pl.col("ts_ms").diff().over("customer").is_between(0, 20_000).mean()
    )
    assert abroad.mean() > 0.005
    assert fast.item() > 0.01
    assert (genuine["usd"] > _of(truth, STOLEN_CARD)["usd"].median()).sum() > 100
