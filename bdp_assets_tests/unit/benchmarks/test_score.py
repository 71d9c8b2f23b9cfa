"""The score bench at a tiny size: all sides agree, and each figure that a goal or plot names is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bdp_assets.runtime.problems import Problem
from bdp_assets.scoring import ensemble
from bdp_assets.training.fit import Recipe
from benchmarks.bench import Request
from benchmarks.features import synthetic
from benchmarks.features.data import Given, prepared
from benchmarks.goals import figure
from benchmarks.score import bench, sides
from benchmarks.score.world import World, world

TINY = Recipe(trees=10, max_depth=6, isolation_trees=10, isolation_rows=64, jobs=1)


@pytest.fixture(scope="module")
def small() -> Given:
    return prepared(synthetic.handbook(rows=20_000, customers=300, terminals=200), "made up", made_up=True)


@pytest.fixture(scope="module")
def of(small: Given) -> World:
    return world(small, lambda _: None, TINY)


def test_a_run_has_every_figure(small: Given, of: World) -> None:
    outcome = bench.measured(small, of, Request(repeats=1))
    sections = {"ours": outcome.ours, "peers": outcome.peers, "ratios": outcome.ratios}
    drawn = [path for plot in bench.BENCH.plots for path in plot.figures.values()]
    assert all(figure(sections, path) > 0 for path in (*bench.BENCH.goals, *drawn))
    assert outcome.ours["file"]["rows"] == 4 * outcome.ours["quarter_file"]["rows"] == 20_000
    assert outcome.data["members"].keys() == {one.name for one in of.bundle.manifest.members}
    assert outcome.data["agreement"]["rows"] == 20_000


def test_all_sides_give_every_row_alike(of: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ensemble, sides):
        monkeypatch.setattr(module, "CHUNK_ROWS", 700)
    own = sides.ours(of)
    assert sides.onnxruntime(of).tobytes() == own.tobytes()
    np.testing.assert_allclose(sides.sklearn(of), own, rtol=0, atol=bench.TOLERANCE)


def test_sides_that_disagree_are_not_compared(of: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.SIDES, "sklearn", lambda _: sides.ours(of) + 1e-3)
    with pytest.raises(Problem, match=r"sklearn by 0\.001"):
        bench.agreed(of)


def test_a_missing_score_is_a_difference(of: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.SIDES, "sklearn", lambda _: sides.ours(of) * np.nan)
    with pytest.raises(Problem, match="sklearn by nan"):
        bench.agreed(of)


def test_data_that_trains_no_model_is_told(small: Given) -> None:
    honest = replace(small, labels=small.labels.with_columns(is_fraud=False))
    with pytest.raises(Problem, match="No model can be trained"):
        world(honest, lambda _: None, TINY)
