"""How the commands of the local platform look in a terminal, and without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

if TYPE_CHECKING:
    from bdp_assets.operations.doctor import Finding
    from bdp_assets.runtime.starter import Report, Stage

UNDER_WAY = ("starting", "stopping")
_WORDS = {"running": "runs already", "stale": "runs", "waits": "not started", "yours": "your own"}

_WIDEST = 200

console = Console()


def show(what: RenderableType, *, markup: bool = True) -> None:
    """Print as wide as it takes to cut off no number and no name; a narrow terminal folds the lines.

    `markup=False`: texts of others, which must not be read as ours.
    """
    if isinstance(what, str):
        console.print(what, soft_wrap=True, markup=markup, highlight=markup)
        return
    least = Measurement.get(console, console.options.update(max_width=_WIDEST), what).minimum
    room = console.width if console.is_terminal else _WIDEST
    fitting = Console(width=max(room, least), force_terminal=console.is_terminal or None)
    fitting.print(what, markup=markup, highlight=markup)


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


_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


def finding_rows(finding: Finding) -> Table:
    """One finding of `bdp doctor`, with what to do on a line of its own."""
    latency = f" ({finding.latency_ms} ms)" if finding.latency_ms is not None else ""
    rows = Table.grid(Column(width=1), Column(width=17, no_wrap=True), Column(), padding=(0, 1))
    rows.add_row(_MARKS[finding.status], f"[bold]{finding.name}[/]", escape(finding.what) + latency)
    if finding.do:
        rows.add_row("", "", f"[cyan]→ {escape(finding.do)}[/]")
    return rows


def summary(findings: Sequence[Finding]) -> str:
    """The last line of `bdp doctor`."""
    failed = sum(finding.status == "fail" for finding in findings)
    warned = sum(finding.status == "warn" for finding in findings)
    if not failed and not warned:
        return "\nAll is well."
    return f"\n{failed} of {len(findings)} failed, {warned} to know."
