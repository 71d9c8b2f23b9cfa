"""How the commands of the local platform look in a terminal, and without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from bdp_assets.operations.doctor import Finding
    from bdp_assets.runtime.starter import Report, Stage
    from bdp_assets.runtime.status import Row

UNDER_WAY = ("starting", "stopping")
_WORDS = {"running": "runs already", "stale": "runs", "waits": "not started", "yours": "your own"}
_COLOURS = {"running": "green", "yours": "cyan", "stopped": "dim", "starting": "yellow"}

console = Console()


def show(what: RenderableType) -> None:
    console.print(what)


@contextmanager
def progress() -> Iterator[Report]:
    """A line a part: with a spinner in a terminal, plain and once per stage elsewhere."""
    if not console.is_terminal:
        yield _plain_line
        return
    columns = (SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        yield _Lines(bars)


def _plain_line(name: str, stage: Stage, detail: str) -> None:
    console.print(sentence(name, stage, detail), highlight=False, soft_wrap=True)


def sentence(name: str, stage: Stage, detail: str) -> str:
    return f"{name:<18} {_WORDS.get(stage, stage):<12} {detail}".rstrip()


class _Lines:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, name: str, stage: Stage, detail: str) -> None:
        text = sentence(name, stage, detail)
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(text, total=1)
        done = 0 if stage in UNDER_WAY else 1
        self._bars.update(self._tasks[name], description=text, completed=done)


def watch(render: Callable[[], RenderableType]) -> None:
    """Draw once a second until the reader presses Ctrl+C."""
    with Live(render(), console=console, auto_refresh=False, screen=console.is_terminal) as live:
        try:
            while True:
                time.sleep(1)
                live.update(render(), refresh=True)
        except KeyboardInterrupt:
            return


def status_table(rows: Sequence[Row]) -> Table:
    """The rows of `bdp status`; the last line sums up the memory."""
    total = sum(row.memory_bytes or 0 for row in rows)
    table = Table(box=None, pad_edge=False, show_footer=bool(total))
    table.add_column("NAME", "total")
    table.add_column("STATE")
    table.add_column("PID", justify="right")
    table.add_column("UP", justify="right")
    table.add_column("MEMORY", _mebibytes(total), justify="right")
    table.add_column("ADDRESS")
    for row in rows:
        state = f"[{_COLOURS.get(row.state, 'red')}]{row.state}"
        pid = str(row.pid) if row.pid else ""
        table.add_row(
            row.name, state, pid, _duration(row.uptime_s), _mebibytes(row.memory_bytes), _place(row)
        )
    return table


_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


def finding_line(finding: Finding) -> str:
    """One finding of `bdp doctor`, with what to do on a line of its own."""
    latency = f" ({finding.latency_ms} ms)" if finding.latency_ms is not None else ""
    line = f"{_MARKS[finding.status]} [bold]{finding.name}[/] {escape(finding.what)}{latency}"
    return f"{line}\n  [cyan]→ {escape(finding.do)}[/]" if finding.do else line


def _place(row: Row) -> str:
    return f"{row.address}  {row.detail}".strip()


def _mebibytes(size: int | None) -> str:
    return f"{size / 1024**2:,.0f} MB" if size else ""


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
