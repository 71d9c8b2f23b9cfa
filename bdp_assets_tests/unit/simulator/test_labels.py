"""Labels come late, some very late, and some are taken back."""

from __future__ import annotations

import polars as pl

from bdp_assets.simulator.drafts import GENUINE
from bdp_assets.simulator.world import History
from bdp_assets_tests.unit.simulator.conftest import DAYS, END

DAY_MS = 86_400_000


def _delays(history: History) -> pl.Series:
    frauds = history.labels.filter("is_fraud")
    early = frauds.filter(pl.col("ts_ms") < frauds["ts_ms"].min() + (DAYS - 25) * DAY_MS)
    return (early["known_at_ms"] - early["ts_ms"]) / DAY_MS


def test_half_of_the_reports_take_about_three_days_and_most_less_than_two_weeks(history: History) -> None:
    delays = _delays(history)
    assert delays.len() > 50
    assert delays.min() > 0  # type: ignore[operator]
    assert 2 < delays.median() < 4.5  # type: ignore[operator]
    assert (delays < 7).mean() < (delays < 14).mean()  # type: ignore[operator]
    assert (delays < 14).mean() > 0.85  # type: ignore[operator]


def test_nothing_is_known_before_its_time(history: History) -> None:
    end_ms = (END - END.fromtimestamp(0)).days * DAY_MS
    assert history.labels["known_at_ms"].is_sorted()
    assert history.labels["known_at_ms"].max() < end_ms  # type: ignore[operator]


def test_some_fraud_is_not_reported_by_the_end(history: History, truth: pl.DataFrame) -> None:
    frauds = truth.filter(pl.col("kind") != GENUINE)
    reported = frauds["transaction_id"].is_in(history.labels["transaction_id"].implode())
    assert 0.7 < reported.mean() < 1  # type: ignore[operator]


def test_false_claims_are_of_honest_transactions_and_taken_back_later(
    history: History, truth: pl.DataFrame
) -> None:
    back = history.labels.filter(~pl.col("is_fraud"))
    claims = history.labels.filter("is_fraud").join(back, on="transaction_id", suffix="_back")
    assert claims.height == back.height > 0
    assert (claims["known_at_ms_back"] > claims["known_at_ms"]).all()
    kinds = truth.join(back, on="transaction_id", how="semi")["kind"]
    assert kinds.unique().to_list() == [GENUINE]
