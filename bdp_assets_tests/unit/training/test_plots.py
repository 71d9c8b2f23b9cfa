"""What the plots of a model show, against the same worked out one row at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.decisions.policy import Costs, make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.attributions import ForestPaths
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.training.cost_curve import cost_curve
from bdp_assets.training.importances import importances
from bdp_assets.training.outcomes import Outcomes
from bdp_assets.training.plots import plots
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows

COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=2)
ROW = st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.integers(0, 100_000), st.booleans())
WIDTH = len(CATALOG.names)


def outcomes(rows: list[tuple[float, int, bool]], days: int) -> Outcomes:
    probability, amounts, fraud = zip(*rows, strict=True)
    return Outcomes(
        np.array(probability), np.array(amounts, dtype=np.float64), np.array(fraud, dtype=bool), days
    )


@settings(max_examples=cases(200))
@given(st.lists(ROW, min_size=1, max_size=30), st.integers(1, 4))
def test_the_curve_says_what_each_threshold_costs(rows: list[tuple[float, int, bool]], days: int) -> None:
    curve = cost_curve(outcomes(rows, days), COSTS)
    assert curve.thresholds[:-1].tolist() == sorted({probability for probability, _, _ in rows})
    for at, threshold in enumerate(curve.thresholds):
        nothing = at == len(curve.thresholds) - 1
        flagged = [row for row in rows if row[0] >= threshold and not nothing]
        missed = sum(amount for p, amount, fraud in rows if fraud and (p < threshold or nothing))
        declined = sum(COSTS.false_decline_minor for _, _, fraud in flagged if not fraud)
        assert curve.declining[at] == pytest.approx((missed + declined) / days)
        assert curve.reviewing[at] == pytest.approx((missed + COSTS.review_minor * len(flagged)) / days)
        assert curve.flagged_a_day[at] == len(flagged) / days


def test_importances_are_led_by_what_makes_the_fraud(tmp_path: Path) -> None:
    paths = ForestPaths.of(Bundle.read(tiny_bundle(tmp_path)))
    matrix, fraud = tiny_rows(WIDTH, rows=400, seed=5)
    found = importances(paths, matrix, fraud)
    assert set(found["feature"].head(2)) == set(CATALOG.names[:2])
    first = found.filter(feature=CATALOG.names[0]).row(0, named=True)
    alone = np.array([abs(paths.contributions(row[None])[0, 0]) for row in matrix])
    assert first["frauds"] == pytest.approx(alone[fraud].mean())
    assert first["good"] == pytest.approx(alone[~fraud].mean())
    assert len(importances(paths, matrix, fraud, most_rows=3)) == WIDTH


@pytest.mark.parametrize("policy", [make_policy(0.2, 0.6, COSTS), make_policy(2.0, 2.0)])
def test_plots_are_pngs_also_where_nothing_is_flagged(policy: object) -> None:
    random = np.random.default_rng(0)
    probability = random.random(3_000) ** 4
    rows = Outcomes(probability, np.full(3_000, 5_000.0), random.random(3_000) < probability, 7)
    shares = pl.DataFrame({"feature": CATALOG.names, "frauds": 0.1, "good": 0.01})
    drawn = plots(rows, policy, shares)  # type: ignore[arg-type]
    names = ("calibration", "cost", "importances", "precision_recall", "scores")
    assert sorted(drawn) == [f"{name}.png" for name in names]
    assert all(png.startswith(b"\x89PNG") and len(png) > 10_000 for png in drawn.values())
