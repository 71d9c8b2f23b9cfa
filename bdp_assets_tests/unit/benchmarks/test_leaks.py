"""The leak bench at a small size: every planted leak is caught, and the protocol is the platform's own."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from bdp_assets.training.pipeline import train
from bdp_assets.training.protocols import PROTOCOLS, Plan
from bdp_assets_tests.fakes.tiny_bundle import TINY
from benchmarks.bench import Request
from benchmarks.features import synthetic
from benchmarks.features.data import Given, prepared
from benchmarks.goals import figure
from benchmarks.model import leaks
from benchmarks.model.folds import folds

DAY = date(2018, 7, 25)


@pytest.fixture(scope="module")
def small() -> Given:
    return prepared(
        synthetic.handbook(rows=60_000, customers=2_400, terminals=1_200), "made up", made_up=True
    )


def test_planted_leaks_are_caught_and_none_is_seen_where_none_is(
    small: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One leak in the features and one in the split; the others are in `training/test_leaks.py`."""
    own = "own label in the merchant's risk"
    monkeypatch.setattr(leaks, "train", partial(train, recipe=TINY))
    monkeypatch.setattr(leaks, "BUILDERS", {own: leaks.BUILDERS[own]})
    said: list[str] = []
    outcome = leaks.measured(small, Request(folds=(DAY,), say=said.append))
    assert all(figure({"ours": outcome.ours}, path) >= 0 for path in leaks.BENCH.goals)
    assert (outcome.ours["planted"], outcome.ours["caught"], outcome.ours["false_alarms"]) == (2, 2, 0)
    _, first, second = said[said.index("planted leak | AP without | AP with | caught by") :]
    assert first.startswith(f"{own} | ")
    assert "merchant_fraud" in first
    assert "a split must be in time" in second
    leak = outcome.ours["leaks"][1]
    assert leak["ap"] > 0.9
    assert leak["suspicions"]
    assert "merchant_frauds_3d" in leak["moved"]
    assert leak["differs"].keys() == leak["moved"].keys()


def test_the_folds_are_of_the_platforms_handbook_protocol(small: Given) -> None:
    [fold] = folds(small, [DAY])
    plan = Plan(PROTOCOLS["handbook"], start_ms=fold.ours.split.train_start_ms)
    assert plan.windows(fold.ours.split.test_end_ms - 1, 7) == (fold.ours.split, fold.ours.cut_ms)
