"""The paired bootstrap against all draws of a case that is small enough to list them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import polars as pl
import pytest

from bdp_assets.training.bootstrap import LEVEL, Difference, paired

CUSTOMERS = pl.Series(["b", "a", "b", "c", "a", "b"])
ONE, OTHER = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0]), np.array([2.0, 7.0, 1.0, 8.0, 2.0, 8.0])


def mean_of(values: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda times: float(times @ values / times.sum())


def every_draw() -> list[float]:
    """The difference of the means in each of the 27 draws of three customers, which are equally likely."""
    mine = {name: CUSTOMERS.eq(name).to_numpy() for name in "abc"}
    found = []
    for draw in product("abc", repeat=3):
        one, other = (np.concatenate([values[mine[name]] for name in draw]) for values in (ONE, OTHER))
        found.append(float(one.mean() - other.mean()))
    return found


def compared(draws: int = 4_000, seed: int = 0) -> Difference:
    return paired(CUSTOMERS, {"mean": (mean_of(ONE), mean_of(OTHER))}, draws=draws, seed=seed)["mean"]


def test_the_interval_is_that_of_all_draws() -> None:
    found = compared()
    assert (found.one, found.other) == (ONE.mean(), OTHER.mean())
    assert found.value == pytest.approx(ONE.mean() - OTHER.mean())
    low, high = np.percentile(every_draw(), LEVEL, method="inverted_cdf")
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05)


def test_a_seed_gives_one_interval() -> None:
    assert compared(50) == compared(50)
    assert compared(50) != compared(50, seed=1)


def test_what_is_equal_differs_in_no_draw() -> None:
    same = paired(CUSTOMERS, {"mean": (mean_of(ONE), mean_of(ONE))}, draws=20)["mean"]
    assert (same.low, same.high) == (0.0, 0.0)
