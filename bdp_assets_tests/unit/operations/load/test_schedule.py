"""The schedule against one that is counted out call by call."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.operations.load.choices import Profile
from bdp_assets.operations.load.schedule import Schedule
from bdp_assets_tests.effort import cases

SHAPES = {
    Profile.STEADY: [(1.0, 1.0)],
    Profile.SPIKE: [(0.4, 1.0), (0.2, 3.0), (0.4, 1.0)],
    Profile.SOAK: [(0.25, 1.0)] * 4,
}
schedules = st.tuples(st.sampled_from(Profile), st.floats(0.5, 300), st.floats(0.5, 10))


def counted_out(profile: Profile, rate: float, seconds: float) -> list[tuple[int, float]]:
    """(phase, due at) of each call."""
    calls, start = [], 0.0
    for phase, (share, factor) in enumerate(SHAPES[profile]):
        wanted = max(1, round(factor * rate * (share * seconds)))
        calls += [(phase, start + number / (factor * rate)) for number in range(wanted)]
        start += share * seconds
    return calls


@settings(max_examples=cases(100))
@given(schedules)
def test_every_call_is_due_when_and_where_the_naive_count_says(asked: tuple[Profile, float, float]) -> None:
    schedule, naive = Schedule.of(*asked), counted_out(*asked)
    assert schedule.times.tolist() == pytest.approx([at for _, at in naive], abs=1e-9)
    assert [schedule.phase_of(number) for number in range(len(naive))] == [phase for phase, _ in naive]
    assert schedule.seconds == pytest.approx(asked[2])


@settings(max_examples=cases(100))
@given(schedules, st.floats(0, 40))
def test_what_is_due_is_what_has_come(asked: tuple[Profile, float, float], at_s: float) -> None:
    schedule = Schedule.of(*asked)
    assert schedule.due(at_s) == sum(time <= at_s for time in schedule.times)


@settings(max_examples=cases(100))
@given(schedules)
def test_records_that_start_so_much_earlier_are_never_ahead(asked: tuple[Profile, float, float]) -> None:
    schedule = Schedule.of(*asked)
    ahead = [number / schedule.mean_rate - at for number, at in enumerate(schedule.times)]
    assert schedule.most_ahead_s == pytest.approx(max(ahead))
    assert schedule.most_ahead_s >= 0


def test_a_spike_has_three_times_the_calls_of_its_time() -> None:
    before, spike, after = Schedule.of(Profile.SPIKE, 100, 10).phases
    assert (before.calls, spike.calls, after.calls) == (400, 600, 400)
    assert spike.rate == 3 * before.rate == 3 * after.rate
