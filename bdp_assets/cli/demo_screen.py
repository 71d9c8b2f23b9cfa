"""The demo in a terminal: numbered steps, bars, a line a part, a table of topics; elsewhere plain lines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table

from bdp_assets.cli.bars import BarScreen
from bdp_assets.cli.display import UNDER_WAY, sentence

if TYPE_CHECKING:
    from bdp_assets.runtime.starter import Stage

_PLAIN_EVERY_S = 5.0


class Terminal(BarScreen):
    """A Screen (see `operations.demo.steps`) on a terminal, or lines where there is none."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console)
        self._steps = 0
        self._title, self._title_since = "", 0.0
        self._busy: dict[str, tuple[str, float]] = {}
        """Parts that are starting: what they do and since when."""
        self._up: set[str] = set()
        self._traffic: Table | None = None
        self._traffic_told = 0.0

    def __enter__(self) -> Terminal:
        super().__enter__()
        return self

    def step(self, title: str) -> None:
        self._steps += 1
        self._busy, self._traffic = {}, None
        self.bars(())
        self._title, self._title_since = title, time.monotonic()
        self.console.print(f"\n[bold]{self._steps}. {title}[/]  [dim]{self.elapsed()}[/]")

    def report(self, name: str, stage: Stage, detail: str) -> None:
        if stage in UNDER_WAY:
            since = self._busy.get(name, ("", time.monotonic()))[1]
            self._busy[name] = (sentence(name, stage, detail), since)
        elif stage != "running" or name not in self._up:
            self._busy.pop(name, None)
            self._up.add(name)
            mark = "[dim]-[/]" if stage == "waits" else "[green]✓[/]"
            self.console.print(
                f"   {mark} {sentence(name, stage, detail)}", soft_wrap=not self.console.is_terminal
            )

    def traffic(self, sent: int, counts: Mapping[str, int]) -> None:
        table = Table(box=None, padding=(0, 3), show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, number in {"sent": sent, **counts}.items():
            table.add_row(name, f"{number:,}")
        self._traffic = table
        if not self.console.is_terminal and time.monotonic() - self._traffic_told > _PLAIN_EVERY_S:
            self._traffic_told = time.monotonic()
            told = ", ".join(f"{topic} {number:,}" for topic, number in counts.items())
            self.line(f"{self.elapsed():>6}  sent {sent:,}; {told}")

    def under_way(self) -> RenderableType:
        rows = self.grid()
        for text, since in self._busy.values():
            self.add(rows, text, "", "", "", since)
        if not self._busy and not self._bars:
            self.add(rows, self._title, "", "", "", self._title_since)
        return Group(rows, super().under_way(), *([self._traffic] if self._traffic else []))
