"""A formula gives a single transaction's plain numbers the bits that it gives whole columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.features.formulas import COLUMN_LIMIT, FORMULAS

WHOLE = st.one_of(
    st.integers(-(2**42), 2**42), st.integers(0, COLUMN_LIMIT - 1), st.sampled_from((0, 1, 10_000))
)
NUMBERS = st.one_of(WHOLE.map(float), st.floats(-1e15, 1e15))


@pytest.mark.parametrize("name", FORMULAS)
@given(data=st.data())
def test_one_and_many(name: str, data: st.DataObject) -> None:
    arity, compute = FORMULAS[name]
    kinds = data.draw(st.lists(st.sampled_from((WHOLE, NUMBERS)), min_size=arity, max_size=arity))
    if name in ("hour", "weekday", "is_weekend", "is_night", "is_round"):  # Of whole numbers only.
        kinds = [WHOLE] * arity
    if name in ("major_units", "saturation"):  # Of amounts: no divisor of nothing.
        kinds = [st.integers(0, COLUMN_LIMIT - 1)]
    rows = data.draw(st.lists(st.tuples(*kinds), min_size=1, max_size=5))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    together = np.asarray(compute(*columns, 7.0), dtype=np.float64)
    alone = [compute(*(column[i].item() for column in columns), 7.0) for i in range(len(rows))]
    assert np.array(alone, dtype=np.float64).tobytes() == together.tobytes()
