from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.monitoring.drift.bins import BINS, MISSING, bin_of, edges_of
from bdp_assets_tests.effort import cases

numbers = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300)


@settings(max_examples=cases(200))
@given(numbers)
def test_bins_are_in_order_and_never_that_of_missing_values(values: list[float]) -> None:
    array = np.array(values)
    edges = edges_of(array)
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= BINS - 2
    order = np.argsort(array)
    found = bin_of(array, edges)
    assert (np.diff(found[order]) >= 0).all()
    assert found.max() < MISSING
    assert bin_of(np.array([np.nan]), edges).tolist() == [MISSING]


@given(st.integers(0, 3))
def test_a_frequent_value_has_a_bin_of_its_own(at: int) -> None:
    """Where it is among others, at either end, or between."""
    others = np.arange(40, dtype=float)
    value = [0.0, 17.0, 39.0, 100.0][at]
    values = np.concatenate([others, np.full(100, value)])
    edges = edges_of(values)
    found = bin_of(values, edges)
    assert set(values[found == bin_of(np.array([value]), edges)[0]]) == {value}


def test_few_values_have_a_bin_each() -> None:
    assert edges_of(np.array([1.0, 0.0, 1.0, 5.0])).tolist() == [0, 1, 5]
