from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs, Policy, policy_of
from bdp_assets.decisions.tuning import COSTS, cheapest_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Table
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.training import pipeline
from bdp_assets.training.fit import Members, Recipe, anomaly_weight, blend, calibration_table, fit_members
from bdp_assets.training.pipeline import (
    HOLD_OUT_SHARE,
    PHASES,
    Source,
    TrainedModel,
    amounts_of,
    fit_and_tune,
    matrix_of,
    train,
)
from bdp_assets.training.split import DAY_MS, Split, TrainingData, TrainingError
from bdp_assets_tests.fakes.tiny_bundle import TINY, tiny_rows

Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]
SOURCE = Source(name="fraud", trained_at_ms=1, snapshot_version="features@1", git_sha="abc")
SPLIT = Split.starting(0, train_days=8, delay_days=2, test_days=4)
CUT = SPLIT.test_end_ms + 2 * DAY_MS
ROWS = 4_000
PLOTS = {f"{name}.png" for name in ("precision_recall", "scores", "calibration", "cost", "importances")}


def data(labels: pl.DataFrame | None = None) -> TrainingData:
    matrix, fraud = tiny_rows(len(CATALOG.names), rows=ROWS, seed=2)
    ts = np.sort(np.random.default_rng(2).integers(0, SPLIT.test_end_ms, ROWS))
    features = pl.DataFrame(
        {
            "transaction_id": [f"t{i}" for i in range(ROWS)],
            "customer_id": [f"c{i % 2_000}" for i in range(ROWS)],
            "ts_ms": ts,
            **dict(zip(CATALOG.names, matrix.T, strict=True)),
        }
    )
    known = features.filter(fraud).select("transaction_id", "customer_id", "ts_ms")
    own = known.select(
        "transaction_id", "customer_id", is_fraud=pl.lit(value=True), known_at_ms=pl.col("ts_ms") + 2 * DAY_MS
    )
    return TrainingData(features, own if labels is None else pl.concat([own, labels]), SPLIT, CUT)


STEPS: list[str] = []


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return train(data(), SOURCE, recipe=TINY, progress=STEPS.append)


def test_a_model_that_learned_and_says_where_it_comes_from(trained: TrainedModel) -> None:
    assert (
        trained.metrics["average_precision"]
        > 5 * trained.metrics["test_frauds"] / trained.metrics["test_rows"]
    )
    assert trained.bundle.manifest.training.snapshot_version == "features@1"
    assert trained.bundle.info.catalog_version == CATALOG.version
    assert trained.bundle.info.train_end_ms == SPLIT.train_end_ms
    assert trained.input_example.columns == list(CATALOG.names)
    assert set(trained.plots) == PLOTS


def test_the_test_rows_carry_the_scores_of_the_bundle_itself(trained: TrainedModel) -> None:
    scores = Ensemble.of(trained.bundle).score(trained.test_matrix)
    assert scores.tolist() == trained.test["probability"].to_list()


def test_the_policy_is_tuned_for_the_costs_that_are_given(trained: TrainedModel) -> None:
    assert policy_of(trained.bundle) == trained.policy
    assert trained.policy.costs == COSTS
    costs = Costs(review_minor=1, false_decline_minor=2, reviews_per_day=3)
    assert train(data(), SOURCE, recipe=TINY, costs=costs).policy.costs == costs


def test_the_same_data_and_seed_give_the_same_bundle(trained: TrainedModel) -> None:
    assert train(data(), SOURCE, recipe=TINY).bundle.info.digest == trained.bundle.info.digest
    assert train(data(), SOURCE, recipe=TINY, seed=1).bundle.info.digest != trained.bundle.info.digest


def test_what_became_known_after_the_cut_changes_nothing(trained: TrainedModel) -> None:
    future = pl.DataFrame(
        {
            "transaction_id": [f"t{i}" for i in range(0, ROWS, 3)],
            "customer_id": [f"c{i % 2_000}" for i in range(0, ROWS, 3)],
            "is_fraud": True,
            "known_at_ms": CUT + 1,
        },
        schema_overrides={"known_at_ms": pl.Int64},
    )
    assert train(data(future), SOURCE, recipe=TINY).bundle.info.digest == trained.bundle.info.digest


class Seen(NamedTuple):
    """What each step of a training was given, in order."""

    fitted: list[tuple[Doubles, Flags]]
    tuned: list[tuple[Doubles, Flags]]
    priced: list[Doubles]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Keeps what the steps of `fit_and_tune` are given, and does as they do."""
    kept = Seen([], [], [])

    def fit(rows: Doubles, fraud: Flags, recipe: Recipe, seed: int) -> Members:
        kept.fitted.append((rows, fraud))
        return fit_members(rows, fraud, recipe, seed)

    def weigh(outputs: Doubles, fraud: Flags) -> float:
        kept.tuned.append((outputs, fraud))
        return anomaly_weight(outputs, fraud)

    def calibrate(scores: Doubles, fraud: Flags) -> Table:
        kept.tuned.append((scores, fraud))
        return calibration_table(scores, fraud)

    def price(probability: Doubles, amounts: Doubles, days: float, costs: Costs) -> Policy:
        kept.priced.append(amounts)
        return cheapest_policy(probability, amounts, days, costs)

    for name, step in (
        ("fit_members", fit),
        ("anomaly_weight", weigh),
        ("calibration_table", calibrate),
        ("cheapest_policy", price),
    ):
        monkeypatch.setattr(pipeline, name, step)
    return kept


def test_what_is_tuned_is_tuned_on_later_rows_than_its_members_learned_from(seen: Seen) -> None:
    rows = data().train_rows()
    fit_and_tune(rows, TINY, COSTS, 0, lambda _: None)
    (early, early_fraud), (whole, whole_fraud) = seen.fitted
    first, later = rows.head(len(early)), rows.slice(len(early))
    assert len(later) == pytest.approx(HOLD_OUT_SHARE * len(rows), abs=1)
    assert first["ts_ms"].max() < later["ts_ms"].min()  # type: ignore[operator]
    for (learned, fraud), expected in (((early, early_fraud), first), ((whole, whole_fraud), rows)):
        assert np.array_equal(learned, matrix_of(expected))
        assert fraud.tolist() == expected["is_fraud"].to_list()
    members = fit_members(early, early_fraud, TINY, 0)
    (outputs, blended_fraud), (scores, calibrated_fraud) = seen.tuned
    assert np.array_equal(outputs, members.outputs(matrix_of(later)))
    assert np.array_equal(scores, blend(outputs, anomaly_weight(outputs, blended_fraud)))
    assert blended_fraud.tolist() == calibrated_fraud.tolist() == later["is_fraud"].to_list()
    [amounts] = seen.priced
    assert np.array_equal(amounts, amounts_of(later))


def test_noise_that_members_remember_does_not_pass_for_knowledge() -> None:
    """Members know noise of their own rows by heart; calibrated on those, they would be sure of others."""
    random, rows, share = np.random.default_rng(3), data().train_rows(), 0.2
    noise = rows.with_columns(is_fraud=pl.Series(random.random(len(rows)) < share))
    fitted, _ = fit_and_tune(noise, Recipe(trees=30, isolation_trees=10, jobs=1), COSTS, 0, lambda _: None)
    told = fitted.predict(random.normal(size=(2_000, len(CATALOG.names))))
    assert np.abs(told - share).mean() < 0.07


@pytest.mark.usefixtures("trained")
def test_steps_are_told_as_they_start() -> None:
    assert tuple(STEPS) == PHASES


def test_windows_without_known_fraud_are_refused() -> None:
    nothing = TrainingData(data().features, data().labels.clear(), SPLIT, CUT)
    with pytest.raises(TrainingError, match="later cut or more training days"):
        train(nothing, SOURCE, recipe=TINY)
