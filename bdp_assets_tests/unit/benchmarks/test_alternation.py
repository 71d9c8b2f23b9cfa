"""Sides take turns, and each is warmed up alike."""

from __future__ import annotations

from benchmarks.alternation import Times, alternated


def test_sides_are_warmed_up_once_and_then_take_turns() -> None:
    order: list[str] = []
    sides = {name: lambda name=name: order.append(name) for name in "ab"}
    times = alternated(sides, 3, lambda _: None)
    assert "".join(order) == "ab" + "ab" * 3
    assert [len(times[name].seconds) for name in "ab"] == [3, 3]


def test_the_median_counts() -> None:
    assert Times([1.0, 9.0, 2.0]).figures() == {"seconds_s": 2.0, "fastest_s": 1.0, "slowest_s": 9.0}
