from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bdp_assets.operations.warehouse.months import following, spans
from bdp_assets_tests.effort import cases

DAYS = st.dates(date(1999, 1, 1), date(2050, 1, 1))


@hypothesis_settings(max_examples=cases(300))
@given(first=DAYS, length=st.integers(0, 1_000))
def test_spans_have_each_day_once_in_one_month_the_latest_first(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    found = list(spans(first, last))
    days = [start + timedelta(days=n) for start, end in found for n in range((end - start).days + 1)]
    assert sorted(days) == [first + timedelta(days=n) for n in range(length + 1)]
    assert all((start.year, start.month) == (end.year, end.month) for start, end in found)
    assert found == sorted(found, reverse=True)


@hypothesis_settings(max_examples=cases(300))
@given(day=DAYS)
def test_the_following_month_begins_after_the_last_day_of_this_one(day: date) -> None:
    before = following(day) - timedelta(days=1)
    assert (following(day).day, before.year, before.month) == (1, day.year, day.month)
