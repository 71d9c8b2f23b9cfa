"""How sure the difference of two models on the same rows is: paired bootstrap over customers.

A customer's transactions stand or fall together, so customers are drawn (with replacement, as many as there
are), and both models are measured on each draw: what makes a draw hard or easy for both cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Figure = Callable[[Doubles], float]
"""A figure of rows by how often each counts."""
DRAWS = 500
LEVEL = (2.5, 97.5)


@dataclass(frozen=True)
class Difference:
    """A figure of two models on all rows, and the 95% interval (percentiles) of `one - other`."""

    one: float
    other: float
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.one - self.other


def paired(
    customers: pl.Series, pairs: Mapping[str, tuple[Figure, Figure]], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Difference]:
    """The difference of each pair of figures; `customers` says whose each row is."""
    found = [
        [one(times) - other(times) for one, other in pairs.values()]
        for times in _drawn(customers, draws, seed)
    ]
    all_rows = np.ones(len(customers))
    bounds = np.percentile(found, LEVEL, axis=0).T.tolist()
    return {
        name: Difference(one(all_rows), other(all_rows), low, high)
        for (name, (one, other)), (low, high) in zip(pairs.items(), bounds, strict=True)
    }


def _drawn(customers: pl.Series, draws: int, seed: int) -> Iterator[Doubles]:
    """How often each row counts in each draw."""
    number = customers.rank("dense").to_numpy() - 1
    count, random = int(number.max()) + 1, np.random.default_rng(seed)
    for _ in range(draws):
        times = np.bincount(random.integers(0, count, count), minlength=count)
        yield times.astype(np.float64)[number]
