from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.features.compiled.codes import SQUARE_BITS
from bdp_assets.features.fields import Field, event_field
from bdp_assets.features.formulas import COLUMN_LIMIT

numbers = st.one_of(st.integers(0, COLUMN_LIMIT - 1), st.integers(2**31 - 2, 2**31 + 2), st.integers(0, 100))


@given(st.lists(numbers))
def test_squares_are_whole_in_two_parts(values: list[int]) -> None:
    columns = {
        "ts_ms": np.zeros(len(values), dtype=np.int64),
        "amount_base_minor": np.array(values, np.int64),
    }
    high = event_field(Field("squares_high", "amount_base_minor"), columns).tolist()
    low = event_field(Field("squares_low", "amount_base_minor"), columns).tolist()
    assert [(h << SQUARE_BITS) + part for h, part in zip(high, low, strict=True)] == [v * v for v in values]
    assert all(0 <= part < 2**SQUARE_BITS for part in low)
