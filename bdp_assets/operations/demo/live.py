"""Live traffic through the running platform, watched topic by topic."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED
from bdp_assets.operations.demo.counting import TopicCounter
from bdp_assets.operations.ledger import Ledger, read_ledger
from bdp_assets.operations.progress import Bar
from bdp_assets.operations.progress import Screen as ProgressScreen
from bdp_assets.operations.traffic import TrafficReport, play
from bdp_assets.operations.traffic_sources import from_settings
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

WATCHED = tuple(topic.name for topic in (RAW, VALIDATED, ENRICHED, PREDICTIONS, ALERTS, DLQ))
BAD_SHARE, API_SHARE = 0.01, 0.05
LOOK_EVERY_S, CATCH_UP_S = 0.5, 60.0


class Screen(ProgressScreen, Protocol):
    def traffic(self, sent: int, counts: Mapping[str, int]) -> None:
        """The number of records sent so far, and the messages that each topic got in that time."""


def run(settings: Settings, *, seconds: float, rate: float, screen: Screen) -> tuple[TrafficReport, Ledger]:
    """Play traffic, then wait until the stream has caught up; returns what was sent and the whole ledger.

    Raises Problem when the stream does not catch up; KafkaUnavailable, HistoryMissing, MappingError.
    """
    now_ms = time.time_ns() // 1_000_000
    source = from_settings(settings, start_ms=now_ms, per_second=rate, bad_share=BAD_SHARE)
    counter, sent, over = TopicCounter(settings, WATCHED), [0], threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:
        playing = pool.submit(
            play,
            settings,
            source,
            rate=rate,
            seconds=seconds,
            progress=lambda number: sent.__setitem__(0, number),
            api_share=API_SHARE,
        )
        playing.add_done_callback(lambda _: over.set())
        while not over.wait(LOOK_EVERY_S):
            screen.traffic(sent[0], counter.advance())
            screen.bars([Bar("send", "", sent[0], round(rate * seconds), "transactions")])
        report = playing.result()
    screen.bars([Bar("wait for the stream to catch up")])
    ledger = _caught_up(settings)
    screen.traffic(report.sent, counter.advance())
    return report, ledger


def _caught_up(settings: Settings) -> Ledger:
    deadline = time.monotonic() + CATCH_UP_S
    while True:
        ledger = read_ledger(settings)
        if not ledger.counts["waiting"]:
            return ledger
        if time.monotonic() > deadline:
            raise Problem(
                f"{ledger.counts['waiting']} raw messages still wait for the stream after {CATCH_UP_S:g} s.",
                "`bdp logs scoring` tells what the worker does.",
            )
        time.sleep(LOOK_EVERY_S)
