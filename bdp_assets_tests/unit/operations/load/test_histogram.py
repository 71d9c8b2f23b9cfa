"""Percentiles against a sorted list."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.operations.load.histogram import GROWTH, HIGHEST_S, LOWEST_S, Histogram
from bdp_assets_tests.effort import cases

durations = st.lists(st.floats(0, 2 * HIGHEST_S) | st.floats(0, 1e-3), min_size=1, max_size=60)
percents = st.sampled_from([1, 25, 50, 90, 95, 99, 99.9, 100])


def of(seconds: list[float]) -> Histogram:
    made = Histogram()
    for one in seconds:
        made.add(one)
    return made


def nearest_rank(seconds: list[float], percent: float) -> float:
    """The smallest one that at least so many percent do not exceed."""
    ordered = sorted(seconds)
    return next(one for n, one in enumerate(ordered, 1) if 1_000 * n >= round(10 * percent) * len(ordered))


@settings(max_examples=cases(200))
@given(durations, percents)
def test_a_percentile_is_never_below_the_true_one_and_hardly_above(
    seconds: list[float], percent: float
) -> None:
    found, true = of(seconds).percentile(percent), nearest_rank(seconds, percent)
    assert true <= found <= max(seconds)
    assert true > HIGHEST_S or found <= max(true * GROWTH * (1 + 1e-9), LOWEST_S)


@settings(max_examples=cases(100))
@given(durations, durations, percents)
def test_merged_is_as_counted_together(one: list[float], other: list[float], percent: float) -> None:
    merged = of(one)
    merged.merge(of(other))
    together = of(one + other)
    assert merged.percentile(percent) == together.percentile(percent)
    assert (merged.count, merged.highest_s) == (together.count, together.highest_s)


def test_of_none_there_is_no_percentile() -> None:
    assert math.isnan(Histogram().percentile(50))


@pytest.mark.parametrize(("percent", "slow"), [(99.9, False), (99.91, True)])
def test_one_slow_call_in_a_thousand_is_above_99_9_percent(percent: float, slow: bool) -> None:
    assert (of([0.001] * 999 + [1.0]).percentile(percent) == 1.0) is slow
