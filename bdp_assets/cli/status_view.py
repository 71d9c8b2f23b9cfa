"""How `bdp status` looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bdp_assets.runtime.status import Row

COLOURS = {"running": "green", "yours": "cyan", "stopped": "dim", "starting": "yellow"}
_NOTHING = "Nothing runs here. `bdp up` starts the platform, `make demo` also shows what it does."

console = Console(highlight=False)


def show(rows: Sequence[Row]) -> None:
    """The table, and what to type where nothing runs."""
    console.print(_with_notes(rows))
    if all(row.state in ("stopped", "yours") for row in rows):
        console.print(f"\n{_NOTHING}", markup=False)


def _with_notes(rows: Sequence[Row]) -> RenderableType:
    below = notes(rows)
    return Group(_table(rows), *([Text()] if below else []), *below)


def notes(rows: Sequence[Row]) -> list[Text]:
    """What is to know of programs, each thing once with the names of those that it concerns."""
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.detail:
            names.setdefault(row.detail, []).append(row.name)
    return [Text(f"{', '.join(affected)}: {detail}") for detail, affected in names.items()]


def _table(rows: Sequence[Row]) -> Table:
    """A line a program; the last one sums up the memory."""
    total = sum(row.memory_bytes or 0 for row in rows)
    drawn = Table(box=None, pad_edge=False, show_footer=bool(total))
    drawn.add_column("NAME", "total", no_wrap=True)
    # As wide as their longest contents, so that nothing moves when something changes.
    drawn.add_column("STATE", no_wrap=True, min_width=len("unwatched"))
    drawn.add_column("PID", justify="right", no_wrap=True, min_width=7)
    drawn.add_column("UP", justify="right", no_wrap=True, min_width=7)
    drawn.add_column("MEMORY", mebibytes(total), justify="right", no_wrap=True, min_width=8)
    drawn.add_column("ADDRESS", no_wrap=True)
    for row in rows:
        drawn.add_row(
            row.name,
            Text(row.state, style=COLOURS.get(row.state, "red")),
            str(row.pid or ""),
            duration(row.uptime_s),
            mebibytes(row.memory_bytes),
            Text(row.address),
        )
    return drawn


def mebibytes(size: int | None) -> str:
    return f"{size / 1024**2:,.0f} MB" if size else ""


def duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
