"""The online bench at a tiny size, on a Valkey of its own that is gone afterwards."""

from __future__ import annotations

import pytest

from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.layout import Layout
from bdp_assets.runtime.ports import is_free
from benchmarks.goals import figure
from benchmarks.online.bench import BENCH, measured
from benchmarks.online.effort import Effort
from benchmarks.online.world import World
from benchmarks.services import own_services

pytestmark = pytest.mark.services

TINY = Effort(repeats=1, sized=20, warm_up=5, calls=30, batch=40, batches=2)


def test_a_run_has_every_figure_and_leaves_nothing_behind() -> None:
    world = World(Layout(CATALOG, "").events_ms, customers=20, merchants=30, events=10)
    with own_services("redis") as settings:
        outcome = measured(settings, world, TINY, lambda _: None)
    assert not settings.home.exists()
    assert is_free(settings.redis_port)
    sections = {"ours": outcome.ours, "floor": outcome.floor, "ratios": outcome.ratios}
    drawn = [path for plot in BENCH.plots for path in plot.figures.values()]
    assert all(figure(sections, path) > 0 for path in (*BENCH.goals, *drawn))
    for way in ("request_bytes", "reply_bytes"):
        assert outcome.floor[way] == pytest.approx(outcome.ours[way], rel=0.05)
