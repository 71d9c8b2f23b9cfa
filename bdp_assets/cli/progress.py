"""How far a long job is: a bar a step in a terminal, a plain line a step elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TaskID

from bdp_assets.features.bulk.build import Progress as Tell


@contextmanager
def steps_with_counts() -> Iterator[Tell]:
    """Yields what to call with the name of a step, how many more it has done, and how many there are."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console) as bars:
        yield _Bars(bars)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._done: dict[str, int] = {}

    def __call__(self, step: str, more: int, total: int) -> None:
        self._done[step] = self._done.get(step, 0) + more
        if self._done[step] >= total:
            self._console.print(f"{step}: {total:,} done", highlight=False)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, more: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.advance(self._tasks[step], more)
