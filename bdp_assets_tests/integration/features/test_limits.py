"""`take.lua` on real servers: what it says is what `bucket.py` says at the time that the server took."""

from __future__ import annotations

import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.clients.redis import Redis, run
from bdp_assets_tests.effort import cases
from bento.access.bucket import MILLION, Bucket, take
from bento.access.limiter import TAKE, key

pytestmark = pytest.mark.services

WISHES = st.lists(st.integers(1, 1_000), min_size=1, max_size=40)


def ask(client: Redis, name: str, rate: int, wanted: int) -> tuple[bool, int]:
    [(allowed, stock)] = run(client, [TAKE.call([key(name)], rate, wanted)], [TAKE])
    return allowed == 1, stock


def kept(client: Redis, name: str) -> Bucket | None:
    found: Any = run(client, [("GET", key(name))])[0]
    return None if found is None else Bucket(*struct.unpack("<qq", found))


@given(st.sampled_from([1, 7, 1_000, 50_000, 1_000_000]), WISHES)
@settings(max_examples=cases(100))
def test_it_takes_what_the_bucket_takes(store_client: Redis, rate: int, wishes: list[int]) -> None:
    name = "key:property"
    run(store_client, [("DEL", key(name))])
    for wanted in wishes:
        before = kept(store_client, name)
        allowed, stock = ask(store_client, name, rate, wanted)
        after = kept(store_client, name)
        full = Bucket(rate * MILLION, 0)
        if allowed and after is None:
            assert rate >= 1_000  # Full again, and so forgotten, before anybody could look.
        elif allowed:
            assert after is not None
            # A bucket that is full again may have left in between: the same as one that is kept full.
            expected, taken = take(before or full, rate, wanted, after.at_us)
            assert (taken.allowed, after, stock) == (True, expected, after.stock)
        else:
            assert before is not None
            assert after == before
            assert before.stock <= stock < min(wanted, rate) * MILLION
            assert (stock - before.stock) % rate == 0, "it gained for whole microseconds"


def test_of_callers_at_once_no_more_are_let_in_than_the_rate(store_client: Redis) -> None:
    name = "key:at-once"
    run(store_client, [("DEL", key(name))])
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: ask(store_client, name, 1, 600)[0], range(40)))
    assert outcomes.count(True) == 1, "the debt of 599 s keeps the others out"


def test_callers_do_not_share(store_client: Redis) -> None:
    for name in ("key:one", "key:other"):
        run(store_client, [("DEL", key(name))])
        assert ask(store_client, name, 1, 1_000)[0]
        assert not ask(store_client, name, 1, 1)[0]


def test_a_bucket_leaves_when_it_is_full_again(store_client: Redis) -> None:
    name = "key:leaves"
    run(store_client, [("DEL", key(name))])
    ask(store_client, name, 10, 1_000)
    left_ms: Any = run(store_client, [("PTTL", key(name))])[0]
    assert 0 < left_ms <= 100_001


def test_a_new_rate_holds_at_once(store_client: Redis) -> None:
    name = "key:changed"
    run(store_client, [("DEL", key(name))])
    ask(store_client, name, 1_000_000, 1)
    assert ask(store_client, name, 2, 1_000) == (True, -998 * MILLION), (
        "it held no more than the new rate says"
    )


def test_a_clock_that_went_back_shuts_nobody_out(store_client: Redis) -> None:
    name, in_an_hour_us = "key:back", (int(time.time()) + 3_600) * MILLION
    run(store_client, [("SET", key(name), struct.pack("<qq", 0, in_an_hour_us))])
    assert not ask(store_client, name, 1_000, 50)[0]
    time.sleep(0.1)
    assert ask(store_client, name, 1_000, 50)[0], "it gained by the clock as it is"
