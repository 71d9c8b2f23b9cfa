"""A goal is judged by the figure it is named after."""

from __future__ import annotations

import math

import pytest

from benchmarks.goals import Goal, figure, judged

SECTIONS = {"ours": {"p99_ms": 0.5}, "ratios": {"time_vs_numpy": 1.2}, "peers": {"rf": {"ap_mean": 0.678}}}


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (Goal(most=1), 1, True),
        (Goal(most=1), 1.01, False),
        (Goal(least=100), 100, True),
        (Goal(least=100), 99.9, False),
        (Goal(least=0.675, most=0.681), 0.678, True),
        (Goal(least=0.675, most=0.681), 0.69, False),
        (Goal(most=1), math.nan, False),
        (Goal(least=1), math.nan, False),
    ],
)
def test_a_value_on_the_bound_meets_it_and_none_meets_nothing(goal: Goal, value: float, met: bool) -> None:
    assert goal.met(value) is met


def test_each_goal_tells_its_bounds_and_whether_it_is_met() -> None:
    goals = {
        "ratios.time_vs_numpy": Goal(most=1.0),
        "ours.p99_ms": Goal(most=1.0),
        "peers.rf.ap_mean": Goal(least=0.6),
    }
    assert judged(SECTIONS, goals) == {
        "ratios.time_vs_numpy": {"max": 1.0, "met": False},
        "ours.p99_ms": {"max": 1.0, "met": True},
        "peers.rf.ap_mean": {"min": 0.6, "met": True},
    }


def test_a_goal_for_what_was_not_measured_is_a_defect() -> None:
    with pytest.raises(KeyError):
        figure(SECTIONS, "ours.p50_ms")
