"""The screen: every section with its rows, or with why it has none."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bdp_assets.clients import dagster
from bdp_assets.operations.watching import alarms, pages, positions, sections
from bdp_assets.operations.watching.alarms import Alarm
from bdp_assets.operations.watching.sections import AssetRow, LatencyRow, RateRow, TopicRow
from bdp_assets.operations.watching.source import Look, NotThere, Source
from bdp_assets.runtime import monitoring
from bdp_assets.runtime.status import Row, Status
from bdp_assets.settings import Settings

R = TypeVar("R")
T = TypeVar("T")
NO_METRICS = "No program answers that shows metrics: `bdp up`; stream workers show theirs with --monitoring."
PATIENCE_S = 30.0
"""How long a first picture waits for parts that do not answer."""
CALM_S = 5.0
"""Between two questions to what is not cheap to ask (Dagster) or does not change by the second (alerts)."""


@dataclass(frozen=True)
class Section(Generic[R]):
    """`away`: why there are no rows; `note`: what else is to know."""

    rows: Sequence[R] = ()
    away: str = ""
    note: str = ""


@dataclass(frozen=True)
class Screen:
    programs: Section[Row]
    topics: Section[TopicRow]
    rates: Section[RateRow]
    latencies: Section[LatencyRow]
    alerts: Section[Alarm]
    assets: Section[AssetRow]


class Watcher:
    """Asks every part in the background, none too often; `screen` is what is known now."""

    def __init__(self, settings: Settings, every_s: float) -> None:
        self._settings = settings
        self._status = Status(settings)
        self._positions = Source(lambda: positions.read(settings), every_s)
        self._pages = Source(lambda: _pages(settings), every_s)
        self._alarms = Source(lambda: alarms.read(settings), max(every_s, CALM_S))
        self._assets = Source(lambda: dagster.each_state(settings), max(every_s, CALM_S))

    @property
    def _sources(self) -> tuple[Source[Any], ...]:
        return (self._positions, self._pages, self._alarms, self._assets)

    def settle(self, patience_s: float = PATIENCE_S) -> None:
        """Until every part has answered or is away, and rates have two looks to be made of."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            self._turn()
            two = all(len(source.looks) > 1 or source.away for source in (self._positions, self._pages))
            if two and all(source.has_answered for source in self._sources):
                return
            time.sleep(0.05)

    def screen(self) -> Screen:
        """Waits for nobody. Raises RuntimeError: a defect of ours."""
        self._turn()
        return Screen(
            programs=Section(self._status.rows()),
            topics=_section(self._positions, sections.topics),
            rates=_section(self._pages, sections.rates, self._silent()),
            latencies=_section(self._pages, sections.latencies),
            alerts=_section(self._alarms, lambda looks: looks[-1].value),
            assets=_section(self._assets, lambda looks: sections.assets(looks[-1].value, time.time())),
        )

    def _turn(self) -> None:
        for source in self._sources:
            source.turn()

    def _silent(self) -> str:
        """Which pages are missing from the figures."""
        expected = monitoring.own_pages(self._settings)
        answered = self._pages.looks[-1].value if self._pages.looks else expected
        missing = [name for name in expected if name not in answered]
        without = (
            "" if self._settings.worker_metrics_port else "Workers show no metrics: `bdp up --monitoring`."
        )
        silent = f"Not counted, they do not answer: {', '.join(missing)}." if missing else ""
        return " ".join(filter(None, (silent, without)))


def _pages(settings: Settings) -> pages.Pages:
    """Raises NotThere."""
    found = pages.read(settings)
    if not found:
        raise NotThere(NO_METRICS)
    return found


def _section(
    source: Source[T], rows: Callable[[Sequence[Look[T]]], Sequence[R]], note: str = ""
) -> Section[R]:
    if source.looks:
        return Section(rows(tuple(source.looks)), note=note)
    return Section(away=source.away or "It has not answered yet.")
