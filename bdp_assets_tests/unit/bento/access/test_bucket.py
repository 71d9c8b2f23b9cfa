"""The bucket against one that is filled by hand, microsecond by microsecond."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets_tests.effort import cases
from bento.access.bucket import MILLION, Bucket, Taken, take

CALLS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 1_000)), max_size=30)
RATES = st.one_of(st.integers(1, 50), st.sampled_from([999, 10_000, 333_333, 1_000_000]))


def by_hand(rate: int, calls: list[tuple[int, int]]) -> list[bool]:
    """Calls are (microseconds since the last one, items)."""
    inside, let_in = rate * MILLION, []
    for pause, items in calls:
        for _ in range(pause):
            inside = min(inside + rate, rate * MILLION)
        enough = inside >= items * MILLION or inside == rate * MILLION
        inside -= items * MILLION if enough else 0
        let_in.append(enough)
    return let_in


def played(rate: int, calls: list[tuple[int, int]]) -> list[Taken]:
    bucket, now_us, outcomes = Bucket(rate * MILLION, 0), 0, []
    for pause, items in calls:
        now_us += pause
        bucket, taken = take(bucket, rate, items, now_us)
        outcomes.append(taken)
    return outcomes


@given(RATES, CALLS)
@settings(max_examples=cases(500))
def test_it_lets_in_what_one_filled_by_hand_does(rate: int, calls: list[tuple[int, int]]) -> None:
    assert [taken.allowed for taken in played(rate, calls)] == by_hand(rate, calls)


@given(RATES, st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 1_000)), max_size=30))
@settings(max_examples=cases(500))
def test_over_time_the_rate_holds(rate: int, calls: list[tuple[int, int]]) -> None:
    """All but the last call let in are paid for by what the bucket held and gained."""
    now_us = items = last = 0
    for (pause, wanted), taken in zip(calls, played(rate, calls), strict=True):
        now_us += pause
        if taken.allowed:
            items, last = items + wanted, wanted
        assert (items - last) * MILLION <= rate * MILLION + rate * now_us


@given(RATES, CALLS)
def test_who_waits_as_told_is_let_in(rate: int, calls: list[tuple[int, int]]) -> None:
    bucket, now_us = Bucket(rate * MILLION, 0), 0
    for pause, items in calls:
        now_us += pause
        bucket, taken = take(bucket, rate, items, now_us)
        if not taken.allowed:
            seconds = int(taken.headers["Retry-After"])
            assert seconds > 0
            assert take(bucket, rate, items, now_us + seconds * MILLION)[1].allowed


def test_headers_say_limit_rest_and_times_in_seconds() -> None:
    bucket, taken = take(Bucket(10 * MILLION, 0), 10, 4, 0)
    assert taken.headers == {"RateLimit-Limit": "10", "RateLimit-Remaining": "6", "RateLimit-Reset": "1"}
    bucket, taken = take(bucket, 10, 7, 0)
    assert not taken.allowed
    assert taken.headers == {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "6",
        "RateLimit-Reset": "1",
        "Retry-After": "1",
    }


def test_a_batch_larger_than_the_bucket_needs_a_full_one_and_is_paid_for_afterwards() -> None:
    bucket, taken = take(Bucket(10 * MILLION, 0), 10, 1_000, 0)
    assert taken.allowed
    bucket, taken = take(bucket, 10, 1, 99 * MILLION)
    assert (taken.allowed, taken.headers["RateLimit-Remaining"], taken.headers["Retry-After"]) == (
        False,
        "0",
        "1",
    )
    assert take(bucket, 10, 1, 99_100_000)[1].allowed


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket, _ = take(Bucket(5 * MILLION, 1_000_000), 5, 5, 1_000_000)
    assert not take(bucket, 5, 1, 0)[1].allowed


def test_after_a_clock_went_back_who_waits_as_told_is_let_in() -> None:
    hour_us = 3_600 * MILLION
    bucket, _ = take(Bucket(5 * MILLION, hour_us), 5, 5, hour_us)
    bucket, refused = take(bucket, 5, 1, 0)
    assert (refused.allowed, refused.headers["Retry-After"]) == (False, "1")
    assert take(bucket, 5, 1, MILLION)[1].allowed
