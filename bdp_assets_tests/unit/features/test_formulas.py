"""Row features are what the oracle's line of Python says, of the transaction's numbers and of features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.features.formulas import COLUMN_LIMIT, COLUMNS, FORMULAS
from bdp_assets.features.kernel import Engine
from bdp_assets.features.spec import Catalog, RowFeature
from bdp_assets_tests.unit.features.oracle import formula

AMOUNTS = st.integers(0, COLUMN_LIMIT - 1)
NUMBERS = st.one_of(st.sampled_from((0.0, 1.0, 1_000.0, 50_000.0)), st.floats(-1e15, 1e15))
TIMES = st.one_of(st.integers(0, 2**42), st.floats(0, 2**41))
DEFAULT = 7.0


@pytest.mark.parametrize("name", FORMULAS)
@given(data=st.data())
def test_of_features(name: str, data: st.DataObject) -> None:
    """Of the first features, whatever these are; a time may be between two milliseconds."""
    one = NUMBERS
    if name in {"major_units", "saturation"}:  # Of amounts: no divisor of nothing.
        one = AMOUNTS.map(float)
    if name in {"hour", "weekday", "is_weekend", "is_night"}:
        one = TIMES.map(float)
    arity = FORMULAS[name].arity
    rows = data.draw(st.lists(st.tuples(*[one] * arity), max_size=5))
    found = computed(
        name, ["f0", "f1", "f2"][:arity], np.array(rows).reshape(-1, arity).T, no_columns(len(rows))
    )
    assert found == [expected(name, list(row)) for row in rows]


@pytest.mark.parametrize("name", FORMULAS)
@given(rows=st.lists(st.tuples(st.integers(0, 2**41), AMOUNTS), max_size=5))
def test_of_the_transaction(name: str, rows: list[tuple[int, int]]) -> None:
    inputs = ["amount_base_minor", "ts_ms", "amount_base_minor"]
    if name in {"hour", "weekday", "is_weekend", "is_night"}:
        inputs = ["ts_ms"]
    inputs = inputs[: FORMULAS[name].arity]
    columns = {column: np.array([row[i] for row in rows], dtype=np.int64) for i, column in enumerate(COLUMNS)}
    found = computed(name, inputs, np.zeros((0, len(rows))), columns)
    assert found == [expected(name, [row[COLUMNS.index(column)] for column in inputs]) for row in rows]


def no_columns(rows: int) -> dict[str, np.ndarray]:
    return {name: np.zeros(rows, dtype=np.int64) for name in COLUMNS}


def computed(name: str, inputs: list[str], given_: np.ndarray, columns: dict[str, np.ndarray]) -> list[float]:
    """The last of a catalog's features, of which the first have values already."""
    known = [row_feature(f"f{i}", "is_zero", ["ts_ms"]) for i in range(len(given_))]
    engine = Engine(Catalog((*known, row_feature("last", name, inputs))))
    engine.formulas = engine.formulas[-1:]
    matrix = engine.empty(len(columns["ts_ms"]))
    matrix[:-1] = given_
    engine.finish(matrix, columns)
    return matrix[-1].tolist()


def expected(name: str, inputs: list[float]) -> float:
    one = row_feature("last", name, ["ts_ms"] * FORMULAS[name].arity)
    return float(formula(one, inputs))


def row_feature(name: str, formula_: str, inputs: list[str]) -> RowFeature:
    return RowFeature(
        name=name, formula=formula_, inputs=tuple(inputs), default=DEFAULT, unit="-", description="-"
    )
