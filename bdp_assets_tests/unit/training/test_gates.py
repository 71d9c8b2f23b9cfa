"""Planted models before the gates: each is refused for what is wrong with it, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from bdp_assets.decisions.policy import Costs, make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.training.contest import Contender
from bdp_assets.training.gate import (
    ASKED,
    AVERAGE_PRECISION,
    BITS,
    CALIBRATION,
    COST,
    EXPORT,
    NOTHING_SERVED,
    REVIEW_CAPACITY,
    failed,
    parity_gate,
    why_not,
)
from bdp_assets.training.gates import (
    LEAST_FRAUDS,
    MOST_RATIO,
    bits_gate,
    export_gate,
    judge,
    latency_gate,
    review_capacity_gate,
)
from bdp_assets.training.latency import Latency
from bdp_assets.training.pipeline import AMOUNT, matrix_of
from bdp_assets.training.split import DAY_MS
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows

ROWS = 3_000
COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=200)
POLICY = make_policy(0.2, 0.6, COSTS)
DECLINES_ALL = make_policy(0.0, 0.0, COSTS)


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    return Ensemble.load(tiny_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture(scope="module")
def rows(ensemble: Ensemble) -> pl.DataFrame:
    """Frauds fall as the model says, so that it is calibrated."""
    matrix, _ = tiny_rows(len(CATALOG.names), rows=ROWS, seed=4)
    random = np.random.default_rng(1)
    amounts = pl.Series(AMOUNT, random.integers(100, 40_000, ROWS) / 100)
    features = pl.DataFrame(dict(zip(CATALOG.names, matrix.T, strict=True))).with_columns(amounts)
    return features.with_columns(
        pl.Series("customer_id", [f"c{i}" for i in random.integers(0, 500, ROWS)]),
        pl.Series("ts_ms", random.integers(0, 7 * DAY_MS, ROWS)),
        pl.Series("is_fraud", random.random(ROWS) < ensemble.score(matrix_of(features))),
    )


@pytest.fixture(scope="module")
def champion(ensemble: Ensemble, rows: pl.DataFrame) -> Contender:
    return Contender("1", ensemble, POLICY, ensemble.score(matrix_of(rows)), export_gap=1e-9)


def refused(rows: pl.DataFrame, contender: Contender, champion: Contender | None) -> set[str]:
    return {gate.name for gate in failed(judge(rows, contender, champion))}


def test_an_equal_model_passes_and_each_gate_is_judged(rows: pl.DataFrame, champion: Contender) -> None:
    gates = judge(rows, replace(champion, version="2"), champion)
    assert failed(gates) == []
    assert [gate.name for gate in (*gates, NOTHING_SERVED)] == list(ASKED)
    assert all(gate.figures for gate in gates)
    assert "is not worse than champion 1's" in gates[0].says


def test_a_first_model_is_compared_with_nothing(rows: pl.DataFrame, champion: Contender) -> None:
    gates = judge(rows, champion, None)
    assert failed(gates) == []
    assert [gate.says for gate in gates[:2]] == ["there is no champion to compare with"] * 2


def test_who_is_not_to_be_compared_is_not_judged_by_what_compares(
    rows: pl.DataFrame, champion: Contender
) -> None:
    gates = judge(rows, replace(champion, version="2"), None, alone="it is of an earlier day")
    left_out = [gate for gate in gates if gate.passed is None]
    assert [gate.name for gate in left_out] == [AVERAGE_PRECISION, COST, REVIEW_CAPACITY]
    assert all("it is of an earlier day" in gate.says for gate in left_out)
    assert failed(gates) == []


def test_with_too_few_frauds_no_model_is_as_good_as_the_champion(
    rows: pl.DataFrame, champion: Contender
) -> None:
    """Not even the champion itself; where there is no champion nothing is compared."""
    few = with_frauds(rows, LEAST_FRAUDS - 1)
    own = replace(champion, probability=champion.scorer.score(matrix_of(few)))
    gates = judge(few, replace(own, version="2"), own)[:2]
    assert [(gate.name, gate.passed) for gate in gates] == [(AVERAGE_PRECISION, False), (COST, False)]
    for gate in gates:
        assert "29 frauds in the test rows are too few to compare with champion 1, at least 30" in gate.says
        assert "--test-days" in gate.says
    assert all(gate.passed for gate in judge(few, own, None)[:2])
    enough = with_frauds(rows, LEAST_FRAUDS)
    own = replace(champion, probability=champion.scorer.score(matrix_of(enough)))
    assert all(gate.passed for gate in judge(enough, replace(own, version="2"), own)[:2])


def with_frauds(rows: pl.DataFrame, frauds: int) -> pl.DataFrame:
    """All good transactions, and so many frauds."""
    return pl.concat([rows.filter(~pl.col("is_fraud")), rows.filter("is_fraud").head(frauds)])


def test_a_model_that_ranks_worse_is_refused(rows: pl.DataFrame, champion: Contender) -> None:
    shuffled = np.random.default_rng(0).permutation(champion.probability)
    worse = replace(champion, version="2", probability=shuffled)
    gates = judge(rows, worse, champion)
    assert {AVERAGE_PRECISION, COST} <= {gate.name for gate in failed(gates)}
    assert "average_precision: average precision" in why_not(gates)
    assert refused(rows, champion, worse) == set()


def test_a_model_that_costs_more_is_refused(rows: pl.DataFrame, champion: Contender) -> None:
    assert refused(rows, replace(champion, policy=DECLINES_ALL), champion) == {COST}
    assert refused(rows, champion, replace(champion, policy=DECLINES_ALL)) == set()


def reviewing(share: float, champion: Contender, a_day: int) -> Contender:
    """The champion's probabilities, of which a policy reviews this share."""
    costs = Costs(review_minor=0, false_decline_minor=3_000, reviews_per_day=a_day)
    at = float(np.quantile(champion.probability, 1 - share, method="higher"))
    return replace(champion, version="2", policy=make_policy(at, 2.0, costs))


def test_a_policy_that_asks_for_more_reviews_than_there_is_time_for_is_refused(
    rows: pl.DataFrame, champion: Contender
) -> None:
    """It costs less, since every review is taken for done."""
    many = reviewing(337 * 7 / ROWS, champion, 10)
    assert refused(rows, many, champion) == {REVIEW_CAPACITY}
    gate = review_capacity_gate(rows, many, champion)
    assert "337.0 reviews a day of the test rows, where there is time for 10 (most allowed 12.5)" in gate.says
    assert "`bdp policy tune --reviews-per-day`" in gate.says
    assert (gate.figures["reviews"], gate.figures["most"]) == (337.0, 12.5)


def test_some_more_reviews_than_capacity_pass_and_as_many_as_the_champions(
    rows: pl.DataFrame, champion: Contender
) -> None:
    few = replace(champion, policy=make_policy(2.0, 2.0, COSTS))
    for a_day, passed in ((100, True), (80, True), (79, False)):
        assert review_capacity_gate(rows, reviewing(700 / ROWS, champion, a_day), few).passed is passed
    assert review_capacity_gate(rows, reviewing(0.2, champion, 1), reviewing(0.2, champion, 1)).passed
    assert review_capacity_gate(rows, reviewing(0.2, champion, 1), None).passed
    silent = review_capacity_gate(rows, replace(champion, policy=make_policy(0.0, 2.0)), few)
    assert (silent.passed, silent.says) == (True, "its policy does not say for how many there is time")


@pytest.mark.parametrize("compared", [False, True])
def test_a_miscalibrated_model_is_refused(rows: pl.DataFrame, champion: Contender, compared: bool) -> None:
    # The same order: only what the numbers mean is lost. Its policy's thresholds move along.
    policy = make_policy(0.2**3, 0.6**3, COSTS)
    cubed = replace(champion, probability=champion.probability**3, policy=policy)
    assert refused(rows, cubed, champion if compared else None) == {CALIBRATION}


def test_a_model_a_little_worse_calibrated_than_the_champion_passes(
    rows: pl.DataFrame, champion: Contender
) -> None:
    near = replace(champion, probability=champion.probability * 0.95)
    assert refused(rows, near, champion) == set()


def test_an_export_that_differs_from_the_library_is_refused(rows: pl.DataFrame, champion: Contender) -> None:
    assert refused(rows, replace(champion, export_gap=3e-6), champion) == {EXPORT}
    assert export_gate(2e-6).passed
    assert export_gate(None).passed
    assert "not kept" in export_gate(None).says


def test_scores_that_depend_on_their_batch_are_refused(rows: pl.DataFrame, champion: Contender) -> None:
    class Leaning:
        def score(self, matrix: np.ndarray) -> np.ndarray:
            return np.full(len(matrix), 0.5 if len(matrix) == 7 else 0.25)

    gate = bits_gate(Leaning(), np.zeros((21, 3)))
    assert (gate.name, gate.passed, gate.figures["batches_of_7"]) == (BITS, False, 21.0)
    assert gate.says.endswith("21 in batches of 7")
    assert refused(rows, replace(champion, scorer=Leaning()), champion) == {BITS}


def test_a_slow_model_is_refused_by_its_ratio() -> None:
    assert latency_gate(Latency(score_us=MOST_RATIO * 500, floor_us=500)).passed
    slow = latency_gate(Latency(score_us=MOST_RATIO * 2, floor_us=1))
    assert not slow.passed
    assert "10.0 times an empty graph" in slow.says


def test_a_model_that_is_not_compiled_is_too_slow() -> None:
    """It took 10 to 13 empty graphs before ADR 61; compiled it takes 1.2."""
    assert not latency_gate(Latency(score_us=10, floor_us=1)).passed
    assert latency_gate(Latency(score_us=2, floor_us=1)).passed


def test_what_was_served_must_be_explained() -> None:
    assert parity_gate(2_000, 0).passed
    assert not parity_gate(2_000, 1).passed
    assert NOTHING_SERVED.passed
    assert "nothing yet" in NOTHING_SERVED.says
