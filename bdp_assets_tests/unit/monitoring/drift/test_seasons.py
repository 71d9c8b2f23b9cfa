from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.monitoring.drift.seasons import MONTH_TURN, alike, seasons
from bdp_assets_tests.effort import cases


def test_the_turn_of_a_month_is_two_days_on_either_side() -> None:
    days = [date(2026, 2, 25) + timedelta(days=number) for number in range(8)]
    assert [day.day for day in days if MONTH_TURN in seasons(day)] == [27, 28, 1, 2]
    assert seasons(date(2026, 2, 25)) == {"Wednesday"}


@settings(max_examples=cases(100))
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60), st.integers(1, 20))
def test_days_that_are_alike_share_a_season_and_are_far_enough(day: date, start: int, gap: int) -> None:
    days = [day + timedelta(days=number - start) for number in range(49)]
    found = alike(day, days, gap)
    assert found
    for season, positions in found.items():
        assert all(abs((days[at] - day).days) >= gap for at in positions)
        assert season == "any" or all(season in seasons(days[at]) & seasons(day) for at in positions)
