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


FAULTS: list[tuple[pl.Expr, str]] = [
    (pl.col("TX_DATETIME").cast(pl.String), "TX_DATETIME is String"),
    (pl.col("TX_DATETIME").dt.epoch("s"), "TX_DATETIME is Int64"),
    (pl.col("TX_AMOUNT").cast(pl.String), "TX_AMOUNT is String"),
    (-pl.col("TX_AMOUNT"), "20,000 amounts are below 0"),
    (pl.col("TX_AMOUNT") * 1e12, "amounts are below 0, above any"),
    (pl.col("TX_AMOUNT") * float("nan"), "amounts are below 0, above any, or no number"),
    (pl.col("TX_FRAUD") * 2, "TX_FRAUD is neither 0 nor 1"),
    (pl.col("TX_FRAUD").cast(pl.String), "TX_FRAUD is neither 0 nor 1"),
    (pl.when(pl.int_range(pl.len()) > 0).then("CUSTOMER_ID").alias("CUSTOMER_ID"), "values are missing"),
]


@pytest.mark.parametrize(("change", "says"), FAULTS)
def test_what_are_no_transactions_is_told(change: pl.Expr, says: str, tmp_path: Path) -> None:
    RAW.with_columns(change).write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(Problem, match=says):
        given(tmp_path / "rows.parquet")


def test_a_file_that_is_none_or_empty_is_told(tmp_path: Path) -> None:
    RAW.write_csv(tmp_path / "rows.csv")
    with pytest.raises(Problem, match="can not be read"):
        given(tmp_path / "rows.csv")
    RAW.clear().write_parquet(tmp_path / "empty.parquet")
    with pytest.raises(Problem, match="no transactions"):
        given(tmp_path / "empty.parquet")


def test_other_types_of_the_same_values_are_the_same(tmp_path: Path) -> None:
    zoned = pl.col("TX_DATETIME").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Kolkata")
    RAW.with_columns(
        zoned, pl.col("TX_FRAUD").cast(pl.Boolean), pl.col("CUSTOMER_ID").cast(pl.String)
    ).sample(fraction=1, shuffle=True, seed=1).write_parquet(tmp_path / "rows.parquet")
    RAW.write_parquet(tmp_path / "plain.parquet")
    other, plain = given(tmp_path / "rows.parquet"), given(tmp_path / "plain.parquet")
    assert other.transactions.equals(plain.transactions)
    assert other.labels.equals(plain.labels)
