"""What drift detection finds and how often it is wrong, in a simulated world; docs/drift.md has the figures.

`pytest --log-cli-level=INFO` shows them. BDP_DRIFT_SEED makes another world.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bdp_assets.features.catalog import CATALOG
from bdp_assets.monitoring.drift.bounds import FALSE_ALARM_SHARE
from bdp_assets.monitoring.drift.counting import SCORE, count
from bdp_assets.monitoring.drift.judgement import Judge
from bdp_assets.monitoring.drift.reference import decode, encode
from bdp_assets.monitoring.drift.seasons import MONTH_TURN, seasons
from bdp_assets_tests.fakes.drift_world import CUT, LIVE, DriftWorld, drift_world, more

LOG = logging.getLogger(__name__)
SEED = int(os.environ.get("BDP_DRIFT_SEED", "101"))
CLEAN = [CUT + timedelta(days=number) for number in range(LIVE)]
PLANTED = [date(2025, 8, 13), date(2025, 9, 28), date(2025, 10, 31), date(2025, 12, 22)]
"""A Wednesday, a Sunday, a month's end and a Monday before Christmas."""


@pytest.fixture(scope="module")
def world() -> DriftWorld:
    return drift_world(SEED)


@pytest.fixture(scope="module")
def judge(world: DriftWorld) -> Judge:
    return Judge.of(decode(encode(world.reference)))


def drifted(judge: Judge, day: date, rows: pl.DataFrame) -> set[str]:
    return set(judge.judge(day, judge.reference.count(rows, day)).filter("drifted")["quantity"])


def of_day(world: DriftWorld, day: date) -> pl.DataFrame:
    return world.rows.filter(pl.col("event_date") == day)


def test_false_alarms_of_clean_days(world: DriftWorld, judge: Judge) -> None:
    """Weekends and turns of months are among them: 28% more is paid on average than on the days between."""
    counts = count(world.rows, CLEAN, judge.reference.edges)
    found = [judge.judge(day, counts[number]) for number, day in enumerate(CLEAN)]
    alarms = [day for day, one in zip(CLEAN, found, strict=True) if one["drifted"].any()]
    seasonal = [day for day in alarms if day.weekday() > 4 or MONTH_TURN in seasons(day)]
    LOG.info("world %d: %d of %d clean days alarm, seasonal ones: %s", SEED, len(alarms), LIVE, seasonal)
    LOG.info("comparisons a day: %.0f", np.mean([len(one) for one in found]))
    assert len(alarms) <= FALSE_ALARM_SHARE * LIVE


def test_ignoring_the_calendar_would_alarm(world: DriftWorld, judge: Judge) -> None:
    """The seasons are there to be mistaken: a Saturday that is judged as a Wednesday is another day."""
    saturday = date(2025, 9, 20)
    counts = judge.reference.count(of_day(world, saturday), saturday)
    taken_for_wednesday = judge.judge(date(2025, 9, 17), counts)
    assert "weekday" in set(taken_for_wednesday.filter("drifted")["quantity"])


def shifted_amounts(world: DriftWorld, day: date) -> pl.DataFrame:
    """Twice as much is paid."""
    factor = pl.when(pl.col("event_date") == day).then(2.0).otherwise(1.0)
    return world.rebuilt(world.transactions.with_columns(more(factor)), day)


def new_merchants(world: DriftWorld, day: date) -> pl.DataFrame:
    """Three of ten transactions are with merchants that nobody has seen."""
    number = pl.int_range(pl.len())
    is_new = (pl.col("event_date") == day) & (number % 10 < 3)
    merchant = pl.when(is_new).then(pl.format("N{}", number % 997)).otherwise("merchant_id")
    return world.rebuilt(world.transactions.with_columns(merchant.alias("merchant_id")), day)


def constant_feature(world: DriftWorld, day: date) -> pl.DataFrame:
    rows = of_day(world, day)
    return rows.with_columns(customer_count_7d=pl.lit(1.0))


def null_feature(world: DriftWorld, day: date) -> pl.DataFrame:
    return of_day(world, day).with_columns(customer_usual_amount=pl.lit(None, pl.Float64))


def wandering_score(world: DriftWorld, day: date) -> pl.DataFrame:
    """Odds of every score are twice what they were."""
    odds = 2 * pl.col(SCORE) / (1 - pl.col(SCORE))
    return of_day(world, day).with_columns((odds / (1 + odds)).alias(SCORE))


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (shifted_amounts, "amount_value"),
        (new_merchants, "customer_merchant_is_new"),
        (constant_feature, "customer_count_7d"),
        (null_feature, "customer_usual_amount"),
        (wandering_score, SCORE),
    ],
)
def test_planted_drift_is_named_on_its_first_day(
    world: DriftWorld, judge: Judge, plant: Callable[[DriftWorld, date], pl.DataFrame], named: str
) -> None:
    found = {day: drifted(judge, day, plant(world, day)) for day in PLANTED}
    LOG.info("%s: %s", plant.__name__, {str(day): sorted(names) for day, names in found.items()})
    assert all(named in names for names in found.values())


def test_dead_features(world: DriftWorld, judge: Judge) -> None:
    """Missing, each is found; stuck at its most usual value, each that is not nearly always there anyway."""
    day, rows = PLANTED[0], of_day(world, PLANTED[0])
    usual = {name: rows[name].mode().min() for name in CATALOG.names}
    missed: dict[str, list[str]] = {"missing": [], "stuck": []}
    for name in CATALOG.names:
        for kind, value in (("missing", None), ("stuck", usual[name])):
            dead = rows.with_columns(pl.lit(value, pl.Float64).alias(name))
            if name not in drifted(judge, day, dead):
                missed[kind].append(name)
    LOG.info("missed: %s", missed)
    assert missed["missing"] == []
    outside = {name: _least_share_outside_its_fullest_bin(judge, name) for name in missed["stuck"]}
    assert max(outside.values(), default=0.0) < 0.1, outside


def _least_share_outside_its_fullest_bin(judge: Judge, name: str) -> float:
    """Of the training days' transactions: 0 for what is the same all day, as the weekday."""
    return float(judge.spread.others[judge.reference.quantities.index(name), 0])
