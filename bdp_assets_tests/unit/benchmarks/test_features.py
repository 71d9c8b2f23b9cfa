"""The features bench at a tiny size: all sides agree, and each figure that a goal or plot names is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bdp_assets.features.catalog import HANDBOOK
from bdp_assets.runtime.problems import Problem
from benchmarks.bench import Request
from benchmarks.features import agreement, bench, duckdb_peer, numpy_floor, ours, pandas_peer, synthetic
from benchmarks.features.data import Given, given, held, prepared, tenths
from benchmarks.goals import figure

RAW = synthetic.handbook(rows=20_000, customers=60, terminals=100)


@pytest.fixture(scope="module")
def small() -> Given:
    return prepared(RAW, "made up", made_up=True)


def test_a_run_has_every_figure(small: Given) -> None:
    outcome = bench.measured(small, Request(repeats=1))
    sections = {
        "ours": outcome.ours,
        "floor": outcome.floor,
        "peers": outcome.peers,
        "ratios": outcome.ratios,
    }
    drawn = [path for plot in bench.BENCH.plots for path in plot.figures.values()]
    assert all(figure(sections, path) > 0 for path in (*bench.BENCH.goals, *drawn))
    assert outcome.ours["rows"] == 20_000
    assert outcome.ours["features"] == 12
    assert outcome.data["synthetic"] is True
    assert outcome.peers["handbook"]["extrapolated"] is True


def test_floor_and_peer_answer_what_we_answer_also_in_ties_and_without_order() -> None:
    tied = prepared(RAW.with_columns(pl.col("TX_DATETIME").dt.truncate("1h")), "tied")
    shuffled = Given(tied.transactions.sample(fraction=1, shuffle=True, seed=1), tied.labels, "tied")
    own = ours.features(shuffled)
    for side in (numpy_floor, duckdb_peer):
        columns = side.features(shuffled)
        assert list(own) == list(HANDBOOK.names)
        assert columns.keys() == own.keys()
        for name, values in columns.items():
            assert values.dtype == np.float64
            np.testing.assert_allclose(values, own[name], rtol=0, atol=agreement.TOLERANCE)


def test_sides_that_disagree_are_not_compared(small: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {name: values + (name == HANDBOOK.names[0]) for name, values in ours.features(small).items()}
    monkeypatch.setattr(numpy_floor, "features", lambda _: wrong)
    with pytest.raises(Problem, match="numpy by 1"):
        agreement.agreed(small, pandas_peer.sample(small))


def test_a_missing_number_is_a_difference() -> None:
    answer = agreement.Answer(np.arange(2), {"a": np.array([1.0, np.nan])})
    assert not agreement.largest_difference({"a": np.array([1.0, 1.0])}, answer) <= agreement.TOLERANCE


@pytest.mark.parametrize("parts", [1, 3])
def test_fewer_rows_leave_customers_and_merchants_as_busy(small: Given, parts: int) -> None:
    part = tenths(small, parts)
    for name in ("customer_id", "merchant_id"):
        busy = [len(rows.transactions) / rows.transactions[name].n_unique() for rows in (small, part)]
        assert busy[1] == pytest.approx(busy[0], rel=0.35)
    assert len(part.labels) == part.rows


def test_bytes_are_those_of_the_columns_in_memory() -> None:
    frame = pl.DataFrame({"text": ["short", "longer than twelve bytes"], "number": [1, 2]})
    assert held(frame) == 2 * 16 + 24 + 2 * 8


def test_a_file_that_is_no_such_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no"):
        given(tmp_path / "absent.parquet")
    other = tmp_path / "other.parquet"
    pl.DataFrame({"TX_AMOUNT": [1.0]}).write_parquet(other)
    with pytest.raises(Problem, match="has no column TRANSACTION_ID"):
        given(other)
