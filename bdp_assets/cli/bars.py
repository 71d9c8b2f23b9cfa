"""Progress in a terminal: bars with what is being done, how much of it, and for how long; elsewhere lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from bdp_assets.operations.progress import Bar

_NARROW = 100
"""Columns of a terminal below which bars are short."""


class BarScreen:
    """A Screen (see `operations.progress`); use it as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._live: Live | None = None
        self._began = time.monotonic()
        self._spinner = Spinner("dots")
        self._bars: tuple[Bar, ...] = ()
        self._since: dict[str, float] = {}
        """When each bar came up, by its name."""
        self._told: set[tuple[str, str]] = set()

    def __enter__(self) -> BarScreen:
        if self.console.is_terminal:
            self._live = Live(
                console=self.console, get_renderable=self.under_way, refresh_per_second=8, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def line(self, text: str) -> None:
        self.console.print(f"   {text}", markup=False, soft_wrap=not self.console.is_terminal)

    def bars(self, bars: Sequence[Bar]) -> None:
        now = time.monotonic()
        self._since = {bar.name: self._since.get(bar.name, now) for bar in bars}
        self._bars = tuple(bars)
        if not self.console.is_terminal:
            self._tell_new_phases()

    def _tell_new_phases(self) -> None:
        for bar in self._bars:
            phase = (bar.name, bar.doing)
            if bar.doing and phase not in self._told:
                self._told.add(phase)
                self.line(f"{self.elapsed():>6}  {bar.name}: {bar.doing}")

    def elapsed(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"

    def under_way(self) -> RenderableType:
        """What is drawn, eight times a second, below the lines that stay."""
        width = 12 if self.console.width < _NARROW else 24
        rows = self.grid()
        for bar in self._bars:
            self.add(rows, bar.name, bar.doing, _drawn(bar, width), _amount(bar), self._since[bar.name])
        return rows

    def grid(self) -> Table:
        title = Column(no_wrap=True, overflow="ellipsis", ratio=1)
        columns = (Column(width=1), title, Column(), Column(no_wrap=True), Column(no_wrap=True))
        return Table.grid(*columns, padding=(0, 1), expand=True)

    def add(self, rows: Table, name: str, doing: str, bar: RenderableType, amount: str, since: float) -> None:
        # Text, not markup: a line that is printed without markup draws us too.
        minutes, seconds = divmod(int(time.monotonic() - since), 60)
        title = Text.assemble(name, (f"  {doing}", "dim"))
        rows.add_row(self._spinner, title, bar, amount, f"{minutes}:{seconds:02}")


def _drawn(bar: Bar, width: int) -> ProgressBar:
    pulse = bar.total is None
    return ProgressBar(bar.total or 1, bar.done, width=width, pulse=pulse, animation_time=time.monotonic())


def _amount(bar: Bar) -> str:
    if bar.total is None:
        return f"{bar.done:,} {bar.unit}" if bar.unit else ""
    return f"{bar.done:,} of {bar.total:,} {bar.unit}"
