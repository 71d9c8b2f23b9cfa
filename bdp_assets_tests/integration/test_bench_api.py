"""The API bench at a tiny size, on services and servers of its own that are gone afterwards."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest

from bdp_assets.clients.redis import connect
from bdp_assets.contracts.columns import LABELS, VALIDATED
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.runtime import orphans
from bdp_assets.simulator.world import World
from bdp_assets.training.fit import Recipe, fit_members
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from benchmarks.api.bench import BENCH, measured
from benchmarks.api.effort import Effort
from benchmarks.goals import figure
from benchmarks.services import own_services
from benchmarks.stream.world import Prepared

pytestmark = [pytest.mark.services, pytest.mark.slow]

TINY = Effort(sized=20, repeats=1, calls=128, peer_part=2, batches=2, batch_rows=50, tail=100)


def test_a_run_has_every_figure_and_leaves_nothing_behind() -> None:
    rng = np.random.default_rng(0)
    small = Recipe(trees=3, isolation_trees=3, isolation_rows=16, jobs=1)
    members = fit_members(rng.random((100, len(CATALOG.names))), np.arange(100) < 50, small, 0)
    with own_services("kafka", "redis") as settings:
        tiny_bundle(settings.models_dir / "tiny")
        (settings.models_dir / "champion").symlink_to("tiny")
        OnlineStore(connect(settings)).rebuild(pl.DataFrame(schema=VALIDATED), pl.DataFrame(schema=LABELS))
        an_hour_ago_ms = time.time_ns() // 1_000_000 - 3_600_000
        records = World(customers=50, merchants=20).live(an_hour_ago_ms, bad_share=0.0)
        prepared = Prepared((Outgoing(*record) for record in records), 0, 0)
        outcome = measured(settings, prepared, members, TINY, lambda _: None)
    assert not settings.home.exists()
    assert not orphans.find(settings.home)
    sections = {
        "ours": outcome.ours,
        "floor": outcome.floor,
        "peers": outcome.peers,
        "ratios": outcome.ratios,
    }
    drawn = [path for plot in BENCH.plots for path in plot.figures.values()]
    assert all(figure(sections, path) > 0 for path in (*BENCH.goals, *drawn))
