"""Numbers of /metrics pages, held against prometheus_client's own and a naive percentile."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from bdp_assets.operations.watching.pages import gains, parse, percentile, shown
from bdp_assets_tests.effort import cases

NAME = "bdp_api_decisions_total"
EDGES = (0.001, 0.01, 0.1, 1.0)


def page(**counts: float) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {(NAME, frozenset({("decision", kind)})): count for kind, count in counts.items()}


def test_a_page_is_read_as_it_is_written_and_others_metrics_are_left_out() -> None:
    registry = CollectorRegistry()
    Counter("bdp_api_decisions_total", "Ours", ["decision"], registry=registry).labels("review").inc(3)
    Counter("python_other_total", "Not ours", registry=registry).inc()
    found = parse(generate_latest(registry).decode())
    assert found[(NAME, frozenset({("decision", "review")}))] == 3
    assert all(name.startswith("bdp_") for name, _ in found)


def test_what_programs_gained_is_added_up_by_a_label() -> None:
    looks = [
        {"api-1": page(approve=10, review=1), "api-2": page(approve=5)},
        {"api-1": page(approve=14, review=1), "api-2": page(approve=6, decline=2)},
    ]
    assert gains(looks, NAME, "decision") == {"approve": 5, "review": 0, "decline": 2}
    assert gains(looks, NAME, "decision", decision="approve") == {"approve": 5}
    assert gains(looks[:1], NAME, "decision") == {}


def test_a_restart_in_between_loses_what_was_not_seen_and_is_never_negative() -> None:
    looks = [{"api": page(approve=100)}, {"api": page(approve=7)}, {"api": page(approve=9)}]
    assert gains(looks, NAME, "decision") == {"approve": 9}
    assert gains([{}, {"api": page(approve=100)}], NAME, "decision") == {}, "it is new here, not its calls"


def test_what_nobody_knows_is_not_shown() -> None:
    assert shown([page(approve=math.nan), page(approve=2.0)], NAME) == [2.0]


@settings(max_examples=cases(100))
@given(
    before=st.lists(st.floats(0.0001, 5.0), max_size=5),
    seen=st.lists(st.floats(0.0001, 5.0), min_size=1, max_size=40),
    percent=st.sampled_from([50, 90, 99]),
)
def test_a_percentile_is_in_the_bucket_of_the_true_one(
    before: list[float], seen: list[float], percent: int
) -> None:
    registry = CollectorRegistry()
    histogram = Histogram("bdp_x_seconds", "As ours", registry=registry, buckets=EDGES)
    looks = []
    for values in (before, seen):
        for value in values:
            histogram.observe(value)
        looks.append({"api": parse(generate_latest(registry).decode())})
    found = percentile(looks, "bdp_x_seconds", percent)
    true = sorted(seen)[math.ceil(percent / 100 * len(seen)) - 1]
    low = max((edge for edge in EDGES if edge < true), default=0.0)
    high = min((edge for edge in EDGES if edge >= true), default=EDGES[-1])
    assert found is not None
    assert min(low, EDGES[-1]) <= found <= high


def test_of_nothing_there_is_no_percentile() -> None:
    page = {("bdp_x_seconds_bucket", frozenset({("le", "+Inf")})): 4.0}
    assert percentile([{"api": page}, {"api": page}], "bdp_x_seconds", 99) is None


@pytest.mark.parametrize("text", ["", "# HELP nothing\n"])
def test_an_empty_page_has_no_numbers(text: str) -> None:
    assert parse(text) == {}
