from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.scoring.bundle import BundleError, Table
from bdp_assets.scoring.tables import PiecewiseLinear
from bdp_assets.scoring.walk import on_line

KNOTS = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=8, unique=True).map(sorted)
VALUES = st.lists(st.floats(0, 1), min_size=8, max_size=8)
INPUTS = st.lists(st.floats(-2e6, 2e6), min_size=1, max_size=50)


@given(KNOTS, VALUES, st.booleans(), INPUTS)
def test_monotone_within_its_values_and_independent_of_the_batch(
    x: list[float], values: list[float], rising: bool, inputs: list[float]
) -> None:
    y = sorted(values[: len(x)], reverse=not rising)
    function = PiecewiseLinear(Table(tuple(x), tuple(y)))
    together = function(np.array(sorted(inputs)))
    steps = np.diff(together)
    assert (steps >= 0).all() if rising else (steps <= 0).all()
    assert together.min() >= min(y)
    assert together.max() <= max(y)
    assert together.tolist() == [function(np.array([value]))[0] for value in sorted(inputs)]


@given(KNOTS, VALUES, st.booleans(), INPUTS)
def test_one_number_gets_the_bits_of_an_array_in_compiled_loops(
    x: list[float], values: list[float], rising: bool, inputs: list[float]
) -> None:
    function = PiecewiseLinear(Table(tuple(x), tuple(sorted(values[: len(x)], reverse=not rising))))
    asked = [*inputs, *x, *np.nextafter(x, np.inf).tolist(), *np.nextafter(x, -np.inf).tolist(), 0.0, -0.0]
    compiled = [on_line(function.lines, one) for one in asked]
    assert np.array(compiled).tobytes() == function(np.array(asked)).tobytes()


def test_exact_at_knots_and_constant_outside() -> None:
    function = PiecewiseLinear(Table((0.0, 0.1, 0.7), (0.0, 0.3, 0.9)))
    assert function(np.array([-5.0, 0.0, 0.1, 0.4, 0.7, 5.0])).tolist() == pytest.approx(
        [0, 0, 0.3, 0.6, 0.9, 0.9]
    )
    assert function(np.array([0.1, 0.7])).tolist() == [0.3, 0.9]


@pytest.mark.parametrize(
    "table",
    [
        Table((0.0,), (1.0,)),
        Table((0.0, 0.0), (0.0, 1.0)),
        Table((0.0, 1.0, 2.0), (0.0, 1.0, 0.5)),
        Table((0.0, 1.0), (0.0, 0.5, 1.0)),
    ],
)
def test_what_is_no_monotone_table_is_refused(table: Table) -> None:
    with pytest.raises(BundleError, match="train the model again"):
        PiecewiseLinear(table)
