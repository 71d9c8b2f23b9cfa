"""The model bench at a small size: the Handbook's protocol, and each figure that a goal or plot names."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.runtime.problems import Problem
from bdp_assets.training import evaluate
from bdp_assets.training.evaluate import metrics
from bdp_assets.training.split import DAY_MS
from benchmarks.bench import Request
from benchmarks.features import synthetic
from benchmarks.features.data import Given, prepared
from benchmarks.goals import figure
from benchmarks.model import bench, folds
from benchmarks.model.intervals import _days, card_precision, intervals

DAY = date(2018, 7, 25)


@pytest.fixture(scope="module")
def small() -> Given:
    return prepared(synthetic.handbook(rows=60_000, customers=600, terminals=300), "made up", made_up=True)


def test_a_run_has_every_figure(small: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.model.intervals.DRAWS", 5)
    outcome = bench.measured(small, Request(folds=(DAY,)))
    sections = {"ours": outcome.ours, "peers": outcome.peers, "ratios": outcome.ratios}
    drawn = [path for plot in bench.BENCH.plots for path in plot.figures.values()]
    assert all(0 < figure(sections, path) < 1 for path in (*bench.BENCH.goals, *drawn))
    assert len(outcome.ours["folds"]) == 1
    assert outcome.data["folds"] == ["2018-07-25"]


def test_a_fold_without_fraud_is_told(small: Given) -> None:
    honest = replace(small, labels=small.labels.with_columns(is_fraud=False))
    with pytest.raises(Problem, match="fold of 2018-07-25 can not be done") as told:
        bench.measured(honest, Request(folds=(DAY,)))
    assert "--folds" in told.value.do


def test_a_fold_has_the_same_rows_on_both_sides_and_features_that_know_all_history(small: Given) -> None:
    [fold] = folds.folds(small, [DAY])
    assert fold.ours.train_rows()["transaction_id"].equals(fold.handbook.train_rows()["transaction_id"])
    test = fold.ours.test_rows()
    assert test["transaction_id"].equals(fold.handbook.test_rows()["transaction_id"])
    assert set(folds.handbook_names()) <= set(fold.handbook.features.columns)
    whole = build_features(small.transactions, small.labels, CATALOG)
    same = test.select("transaction_id", *CATALOG.names)
    assert same.equals(whole.join(same.select("transaction_id"), on="transaction_id").select(same.columns))
    first, last = test["ts_ms"].min(), test["ts_ms"].max()
    assert fold.ours.split.test_start_ms - fold.ours.split.train_start_ms == 14 * DAY_MS
    assert fold.ours.split.test_start_ms <= first < last < fold.ours.split.test_end_ms  # type: ignore[operator]


def test_night_and_weekend_are_the_handbooks(small: Given) -> None:
    [fold] = folds.folds(small, [DAY])
    rows = fold.handbook.features.with_columns(time=pl.from_epoch("ts_ms", time_unit="ms"))
    assert (rows["TX_DURING_NIGHT"] == (rows["time"].dt.hour() <= 6)).all()
    assert (rows["TX_DURING_WEEKEND"] == (rows["time"].dt.weekday() >= 6)).all()


@pytest.mark.parametrize("day", [date(2018, 3, 1), date(2018, 9, 20)])
def test_days_that_the_data_does_not_reach_are_told(small: Given, day: date) -> None:
    with pytest.raises(Problem, match=str(day)) as told:
        folds.folds(small, [day])
    assert "--folds" in told.value.do


def _scored(rng: np.random.Generator, rows: int, customers: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [f"c{n:03}" for n in rng.integers(0, customers, rows)],
            "merchant_id": [f"m{n:03}" for n in rng.integers(0, 100, rows)],
            "ts_ms": rng.integers(0, 7 * DAY_MS, rows),
            "is_fraud": rng.random(rows) < 0.1,
        }
    )


def test_the_intervals_of_a_perfect_ranking_are_one_and_of_others_hold_the_figures() -> None:
    rng = np.random.default_rng(0)
    rows = _scored(rng, 4_000, 400)
    fraud = rows["is_fraud"].to_numpy()
    perfect = intervals([rows.with_columns(probability=pl.Series(fraud.astype(float)))])
    assert perfect.mean["auc"] == perfect.mean["average_precision"] == (1.0, 1.0)
    noisy = [rows.with_columns(probability=pl.Series(fraud * 0.3 + rng.random(4_000))) for _ in range(2)]
    found, told = intervals(noisy), [metrics(one) for one in noisy]
    for name, (low, high) in found.mean.items():
        assert low < np.mean([one[name] for one in told]) < high
        for fold, one in zip(found.folds, told, strict=True):
            assert fold[name][0] < one[name] < fold[name][1]
            assert high - low < fold[name][1] - fold[name][0]


def test_what_goes_together_makes_an_interval_wide() -> None:
    """Ten merchants of a hundred have all frauds, and the model finds those of five."""
    rng = np.random.default_rng(0)
    rows = _scored(rng, 6_000, 600)
    at = rows["merchant_id"].str.slice(1).cast(pl.Int64)
    together = rows.with_columns(
        is_fraud=at < 10, probability=(at < 5).cast(pl.Float64) + pl.Series(rng.random(6_000))
    )
    scattered = together.with_columns(merchant_id=pl.Series([f"m{n}" for n in range(6_000)]))
    wide, narrow = (np.ptp(intervals([one]).mean["average_precision"]) for one in (together, scattered))
    assert wide > 2 * narrow


def test_a_day_that_is_named_twice_is_one_fold(small: Given) -> None:
    assert len(folds.folds(small, [DAY, DAY])) == 1


def test_draws_without_fraud_are_left_out() -> None:
    rows = _scored(np.random.default_rng(0), 50, 50).with_columns(
        probability=pl.Series(np.arange(50.0)), is_fraud=pl.Series(np.arange(50) == 49)
    )
    assert intervals([rows]).mean["average_precision"] == (1.0, 1.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 12))
def test_card_precision_of_a_draw_is_that_of_as_many_customers(seed: int, top: int) -> None:
    rng = np.random.default_rng(seed)
    rows = _scored(rng, 60, 8).with_columns(probability=pl.Series(rng.random(60)))
    names = rows["customer_id"].unique().sort()
    times = rng.integers(0, 3, len(names))
    copies = [
        rows.filter(pl.col("customer_id") == name).with_columns(customer_id=pl.lit(f"{name}#{copy}"))
        for name, count in zip(names, times, strict=True)
        for copy in range(count)
    ]
    if copies:
        days = _days(rows, names)
        expected = evaluate.card_precision(pl.concat(copies), top) * len(
            {*pl.concat(copies)["ts_ms"] // DAY_MS}
        )
        assert card_precision(days, times, top) * len(days) == pytest.approx(expected)
