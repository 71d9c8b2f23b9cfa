"""The stream bench at a tiny size, on services of its own that are gone afterwards."""

from __future__ import annotations

import time

import polars as pl
import pytest

from bdp_assets.clients.redis import connect
from bdp_assets.contracts.columns import LABELS, VALIDATED
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.runtime.ports import is_free
from bdp_assets.simulator.world import World
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from benchmarks.goals import figure
from benchmarks.services import own_services
from benchmarks.stream.bench import BENCH, measured
from benchmarks.stream.effort import Effort
from benchmarks.stream.world import Prepared

pytestmark = [pytest.mark.services, pytest.mark.drill]

TINY = Effort(repeats=1, messages=1_000, workers=2, rate=50, seconds=3)


def test_a_run_has_every_figure_and_leaves_nothing_behind() -> None:
    with own_services("kafka", "redis") as settings:
        tiny_bundle(settings.models_dir / "tiny")
        (settings.models_dir / "champion").symlink_to("tiny")
        OnlineStore(connect(settings)).rebuild(pl.DataFrame(schema=VALIDATED), pl.DataFrame(schema=LABELS))
        an_hour_ago_ms = time.time_ns() // 1_000_000 - 3_600_000
        records = World(customers=50, merchants=20).live(an_hour_ago_ms, bad_share=0.0)
        small = settings.model_copy(update={"stream_batch_messages": 10})
        prepared = Prepared((Outgoing(*record) for record in records), 0, 0)
        outcome = measured(small, prepared, TINY, lambda _: None)
    assert not settings.home.exists()
    assert is_free(settings.redis_port)
    assert is_free(settings.kafka_port)
    sections = {"ours": outcome.ours, "floor": outcome.floor, "ratios": outcome.ratios}
    drawn = [path for plot in BENCH.plots for path in plot.figures.values()]
    assert all(figure(sections, path) > 0 for path in (*BENCH.goals, *drawn, "ratios.vs_pass_through"))
    assert outcome.ours["cpu_s_per_1000"].keys() == {"workers_s", "kafka_s", "redis_s"}
