from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.monitoring.performance.window import Window
from bdp_assets_tests.effort import cases

DAY_MS = 86_400_000


@given(as_of=st.dates(date(2020, 1, 1), date(2030, 1, 1)), delay=st.integers(0, 60), days=st.integers(1, 60))
@settings(max_examples=cases(100))
def test_a_day_is_in_it_as_soon_as_its_last_transaction_has_had_the_delay(
    as_of: date, delay: int, days: int
) -> None:
    window = Window(as_of, delay, days)
    assert window.end_ms + delay * DAY_MS == window.as_of_ms
    assert window.end_ms - window.start_ms == days * DAY_MS
    assert list(window.dates()) == [window.first + timedelta(days=n) for n in range(days)]
    assert list(window.dates())[-1] == window.last


def test_a_week_of_delay() -> None:
    window = Window(date(2026, 3, 10), 7, 2)
    assert (window.first, window.last) == (date(2026, 3, 1), date(2026, 3, 2))
