"""The ingest bench at a tiny size, on services of its own; its sides do the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from bdp_assets.clients.kafka import stream_range, watermarks
from bdp_assets.contracts.topics import RAW
from bdp_assets.settings import Settings
from benchmarks.goals import figure
from benchmarks.ingest import floor, ours
from benchmarks.ingest.bench import BENCH, Effort, measured
from benchmarks.services import own_services

pytestmark = [pytest.mark.services, pytest.mark.drill]
TINY = Effort(repeats=1, rows=300, times_rows=2)


def test_a_run_has_every_figure_and_both_sides_send_the_same_bytes() -> None:
    with own_services("kafka", "postgres") as settings:
        outcome = measured(settings, TINY, lambda _: None)
        by_us = sent(settings, lambda: ours.send(settings, "shop"))
        by_floor = sent(settings, lambda: floor.send(settings, settings.home / "sources" / "shop.csv"))
    assert by_us == by_floor
    assert by_us.total() == TINY.rows
    sections = {"ours": outcome.ours, "floor": outcome.floor, "ratios": outcome.ratios}
    drawn = [path for plot in BENCH.plots for path in plot.figures.values()]
    assert all(figure(sections, path) > 0 for path in (*BENCH.goals, *drawn, "ours.peak_rss_bytes"))


def sent(settings: Settings, side: Callable[[], int]) -> Counter[tuple[bytes | None, bytes | None]]:
    before = watermarks(settings, [RAW.name])
    side()
    ranges = {place: (before[place][1], end) for place, (_, end) in watermarks(settings, [RAW.name]).items()}
    return Counter(
        (message.key, message.value) for batch in stream_range(settings, ranges) for message in batch
    )
