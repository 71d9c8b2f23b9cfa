"""Bounds of the hours of a week, on worlds whose season and noise are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.monitoring.quality.measures import Bools, Floats, ages, counts, shares
from bdp_assets.monitoring.quality.season import SEASON, WEEK_HOURS, Bounds, bounds
from bdp_assets_tests.effort import cases

WEEKS = SEASON.weeks + 2
LEAST_LEVEL = 50
"""Rows an hour from which an outage can be told from chance, with this noise."""
seeds = st.integers(0, 2**32 - 1)
hours_of_last_week = st.integers(1, WEEK_HOURS)


def seasonal(seed: int, weeks: int = WEEKS) -> Floats:
    """Rows an hour: any level for each hour of the week, the same every week but for bounded noise."""
    random = np.random.default_rng(seed)
    levels = random.uniform(LEAST_LEVEL, 3_000, WEEK_HOURS)
    noise = random.uniform(-1, 1, weeks * WEEK_HOURS)
    return np.round((np.sqrt(np.tile(levels, weeks)) + noise / 2) ** 2)


def outside(found: Bounds) -> Bools:
    with np.errstate(invalid="ignore"):
        alarms: Bools = (found.value < found.low) | (found.value > found.high)
    return alarms


@settings(max_examples=cases(200))
@given(seeds)
def test_a_season_is_no_alarm(seed: int) -> None:
    found = bounds(counts(seasonal(seed)))
    assert np.isfinite(found.usual[-WEEK_HOURS:]).all()
    assert not outside(found).any()


@settings(max_examples=cases(200))
@given(seeds, hours_of_last_week)
def test_an_outage_and_a_flood_of_one_hour_are_found_and_no_other_hour_is(seed: int, back: int) -> None:
    for changed in (0, 5):
        rows = seasonal(seed)
        rows[-back] *= changed
        assert np.flatnonzero(outside(bounds(counts(rows)))).tolist() == [len(rows) - back]


@settings(max_examples=cases(100))
@given(seeds, hours_of_last_week)
def test_an_outage_in_the_past_hides_no_other_and_makes_no_usual_hour_red(seed: int, back: int) -> None:
    rows = seasonal(seed)
    rows[-back - WEEK_HOURS] = 0
    assert not outside(bounds(counts(rows)))[-WEEK_HOURS:].any()
    rows[-back] = 0
    assert np.flatnonzero(outside(bounds(counts(rows)))[-WEEK_HOURS:]).tolist() == [WEEK_HOURS - back]


@settings(max_examples=cases(100))
@given(seeds, hours_of_last_week)
def test_a_feed_that_stops_is_stale_and_a_slow_night_is_not(seed: int, back: int) -> None:
    """Ages by the season: seconds by day, most of an hour by night."""
    random = np.random.default_rng(seed)
    levels = np.tile(random.choice([20.0, 1_200.0], WEEK_HOURS, p=[0.8, 0.2]), WEEKS)
    newest = levels * random.uniform(0.7, 1.4, len(levels))
    assert not outside(bounds(ages(newest))).any()
    newest[-back] += 12 * 3600
    assert np.flatnonzero(outside(bounds(ages(newest)))).tolist() == [len(newest) - back]


@settings(max_examples=cases(100))
@given(seeds, hours_of_last_week)
def test_a_share_is_judged_by_how_many_it_is_of(seed: int, back: int) -> None:
    of = seasonal(seed)
    some = np.round(of * 0.02)
    some[-back] = of[-back] // 2
    assert np.flatnonzero(outside(bounds(shares(some, of)))).tolist() == [len(of) - back]
    of[-back], some[-back] = 2, 1  # half of two rows is nothing to speak of
    assert not outside(bounds(shares(some, of))).any()


def test_an_hour_is_judged_from_the_least_number_of_weeks_on() -> None:
    rows = seasonal(1, SEASON.least_weeks + 1)
    judged = np.isfinite(bounds(counts(rows)).usual)
    assert np.flatnonzero(judged)[0] == SEASON.least_weeks * WEEK_HOURS
    rows[0] = np.nan  # the table began an hour later
    assert np.flatnonzero(np.isfinite(bounds(counts(rows)).usual))[0] == SEASON.least_weeks * WEEK_HOURS + 1
    assert np.isnan(bounds(counts(rows[:WEEK_HOURS])).usual).all()


def test_a_quiet_hour_is_no_outage_and_an_empty_hour_has_no_share() -> None:
    rows = np.tile([3.0, 0.0], WEEKS * WEEK_HOURS // 2)
    rows[-2] = 0
    assert not outside(bounds(counts(rows))).any()
    assert not outside(bounds(shares(np.zeros_like(rows), rows))).any()


@pytest.mark.parametrize("level", [0.5, 20, 2_000])
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
def test_false_alarms_are_fewer_than_one_in_a_thousand_hours(level: float, spread: float) -> None:
    """docs/quality.md says so: Poisson arrivals by a weekly season whose level itself varies by `spread`."""
    random = np.random.default_rng(7)
    time = np.arange(60 * WEEK_HOURS)
    season = (1 + 0.9 * np.sin(2 * np.pi * time / 24)) * (1 + 0.4 * np.sin(2 * np.pi * time / WEEK_HOURS))
    rate = level * season * np.exp(spread * random.standard_normal(len(time)))
    rows = random.poisson(rate).astype(float)
    for measure in (counts(rows), ages(_ages(rows, random))):
        found = bounds(measure)
        judged = np.isfinite(found.usual)
        assert outside(found)[judged].mean() < 1 / 1_000


def _ages(rows: Floats, random: np.random.Generator) -> Floats:
    """Age of the newest of so many rows, placed anywhere in their hour."""
    age, found = 0.0, np.empty(len(rows))
    for hour, count in enumerate(rows):
        age = 3600 * (1 - random.random() ** (1 / count)) if count else age + 3600
        found[hour] = age
    return found


@settings(max_examples=cases(100))
@given(st.floats(0, 1e7), st.integers(1, 10**6))
def test_scales_go_there_and_back(value: float, of: int) -> None:
    for measure in (counts(np.array([value])), ages(np.array([value]))):
        assert measure.back(measure.x) == pytest.approx([value], abs=1e-6)
    near = shares(np.array([of // 2], float), np.array([of], float))
    assert near.back(near.x) == pytest.approx(near.value, abs=1 / of)
