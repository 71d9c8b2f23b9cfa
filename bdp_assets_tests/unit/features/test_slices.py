"""Extremes and distinct counts of slices equal those of Python, slice by slice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.features import slices
from bdp_assets.features.slices import distinct, extreme

ends = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12)
numbers = st.lists(st.integers(-5, 20), min_size=40, max_size=40)


@given(numbers, ends, st.sampled_from((0, 64)))
def test_extremes_of_any_slices(values: list[int], cut: list[tuple[int, int]], short: int) -> None:
    start, end = (np.array([pair[i] for pair in cut], dtype=np.int64) for i in (0, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "_SHORT", short)
        patch.setattr(slices, "_FEW", 0)
        least = extreme(np.array(values), start, end, np.minimum, 99).tolist()
        greatest = extreme(np.array(values), start, end, np.maximum, -99).tolist()
    assert least == [min(values[a:b], default=99) for a, b in cut]
    assert greatest == [max(values[a:b], default=-99) for a, b in cut]


@given(numbers, ends)
def test_distinct_counts_of_slices_in_order(codes: list[int], cut: list[tuple[int, int]]) -> None:
    start, end = (np.sort(np.array([pair[i] for pair in cut], dtype=np.int64)) for i in (0, 1))
    found = distinct(np.array(codes), start, end).tolist()
    wanted = [{code for code in codes[a:b] if code >= 0} for a, b in zip(start, end, strict=True)]
    assert found == [len(values) for values in wanted]
