"""How `bdp status --watch` looks: one screen, two columns of sections where the terminal has the room."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bdp_assets.cli.status_view import COLOURS, duration, mebibytes, notes

if TYPE_CHECKING:
    from bdp_assets.operations.watching.alarms import Alarm
    from bdp_assets.operations.watching.screen import Screen, Section
    from bdp_assets.operations.watching.sections import AssetRow, LatencyRow, RateRow, TopicRow
    from bdp_assets.runtime.status import Row

WIDE = 120
"""Columns of a terminal that has room for two sections side by side."""
MOST_ASSETS, MOST_ALERTS = 12, 8
_SEVERITIES = {"critical": "bold red", "warning": "yellow"}
_FRESHNESS = {"fresh": "green", "late": "yellow", "stale": "red"}

console = Console(highlight=False)


def watch(look: Callable[[], Screen], every_s: float) -> None:
    """Draw again and again until the reader presses Ctrl+C, and leave the last picture on the terminal."""
    screen = look()
    try:
        with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
            while True:
                live.update(picture(screen, console.width, "Ctrl+C ends"), refresh=True)
                time.sleep(every_s)
                screen = look()
    except KeyboardInterrupt:
        show(screen)


def tell(look: Callable[[], Screen], every_s: float, *, once: bool) -> None:
    """A line of JSON for each picture, until Ctrl+C or whoever reads has enough."""
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        while True:
            print(json.dumps(dataclasses.asdict(look())), flush=True)  # noqa: T201 - no terminal's width here
            if once:
                return
            time.sleep(every_s)


def show(screen: Screen) -> None:
    """One picture."""
    console.print(picture(screen, console.width))


def picture(screen: Screen, width: int, hint: str = "") -> RenderableType:
    """The whole screen in `width` columns; `hint` is said above it."""
    programs = _section("SERVICES", screen.programs, _programs, notes(screen.programs.rows))
    alerts = _section("ALERTS", screen.alerts, _alerts)
    topics = _section("TOPICS  offsets a second", screen.topics, _topics)
    rates = _section("RATES  a second", screen.rates, _rates)
    latencies = _section("LATENCY  milliseconds", screen.latencies, _latencies)
    assets = _section("ASSETS  what is not well comes first", screen.assets, _assets)
    if width < WIDE:
        return Group(_head(screen, hint), alerts, programs, topics, rates, latencies, assets)
    columns = Table.grid(padding=(0, 3), expand=True)
    columns.add_column(ratio=11)
    columns.add_column(ratio=12)
    columns.add_row(Group(programs, assets), Group(topics, rates, latencies, alerts))
    return Group(_head(screen, hint), columns)


def _head(screen: Screen, hint: str) -> Text:
    rows = screen.programs.rows
    running = sum(row.state in ("running", "yours") for row in rows)
    text = f"{running} of {len(rows)} run    {time.strftime('%H:%M:%S')}    {hint}\n"
    return Text(text, style="dim")


def _section(
    title: str,
    section: Section[Any],
    draw: Callable[[Sequence[Any]], RenderableType],
    below: Sequence[RenderableType] = (),
) -> RenderableType:
    """A title, and the rows or why there are none; a blank line ends it."""
    body = Text(section.away, style="yellow") if section.away else draw(section.rows)
    note = [Text(section.note, style="dim")] if section.note else []
    return Group(Text(title, style="bold"), body, *below, *note, Text())


def _grid(*columns: tuple[str, str], last: str = "") -> Table:
    """Columns with a heading and how they are justified; a `last` one takes what room there is."""
    drawn = Table(box=None, pad_edge=False, header_style="dim", expand=bool(last))
    for heading, side in columns:
        drawn.add_column(heading, justify="right" if side == "right" else "left", no_wrap=True)
    if last:
        drawn.add_column(last, no_wrap=True, overflow="ellipsis", ratio=1)
    return drawn


def _programs(rows: Sequence[Row]) -> Table:
    total = sum(row.memory_bytes or 0 for row in rows)
    drawn = Table(box=None, pad_edge=False, header_style="dim", show_footer=bool(total))
    drawn.add_column("NAME", "total", no_wrap=True)
    drawn.add_column("STATE", no_wrap=True, min_width=len("unwatched"))
    drawn.add_column("UP", justify="right", no_wrap=True, min_width=7)
    drawn.add_column("MEMORY", mebibytes(total), justify="right", no_wrap=True, min_width=8)
    drawn.add_column("RESTARTS", justify="right", no_wrap=True)
    for row in rows:
        state = Text(row.state, style=COLOURS.get(row.state, "red"))
        restarts = Text(str(row.restarts or ""), style="yellow")
        drawn.add_row(row.name, state, duration(row.uptime_s), mebibytes(row.memory_bytes), restarts)
    return drawn


def _topics(rows: Sequence[TopicRow]) -> Table:
    drawn = _grid(("TOPIC", ""), ("IN", "right"), ("GROUP", ""), ("OUT", "right"), ("LAG", "right"))
    for row in rows:
        lag = "" if row.lag is None else f"{row.lag:,}"
        out = _number(row.out_per_s) if row.group else ""
        drawn.add_row(row.topic, _number(row.in_per_s), row.group, out, lag)
    return drawn


def _rates(rows: Sequence[RateRow]) -> Table:
    drawn = _grid(("", ""), ("", "right"), ("", "right"))
    drawn.show_header = False
    for row in rows:
        share = "" if row.share is None else f"{row.share:.1%}"
        drawn.add_row(row.name, _number(row.per_s), share)
    return drawn


def _latencies(rows: Sequence[LatencyRow]) -> Table:
    drawn = _grid(("", ""), ("P50", "right"), ("P99", "right"))
    for row in rows:
        drawn.add_row(row.name, _milliseconds(row.p50_s), _milliseconds(row.p99_s))
    return drawn


def _alerts(rows: Sequence[Alarm]) -> RenderableType:
    if not rows:
        return Text("none fires", style="green")
    drawn = _grid(("SEVERITY", ""), ("FOR", "right"), ("ALERT", ""), last="WHAT")
    drawn.columns[-1].no_wrap = False
    for row in rows[:MOST_ALERTS]:
        severity = Text(row.severity, style=_SEVERITIES.get(row.severity, ""))
        drawn.add_row(severity, age(time.time() - row.since_s), row.name, Text(row.summary))
    sections = sorted({row.runbook for row in rows[:MOST_ALERTS] if row.runbook})
    more = [Text(f"and {len(rows) - MOST_ALERTS} more", style="dim")] if len(rows) > MOST_ALERTS else []
    return Group(drawn, *more, Text(f"what to do: {', '.join(sections)}", style="dim"))


def _assets(rows: Sequence[AssetRow]) -> RenderableType:
    drawn = _grid(("ASSET", ""), ("MADE", "right"), ("FRESH", ""), last="CHECKS THAT FAIL")
    for row in rows[:MOST_ASSETS]:
        made = "never" if row.age_s is None else age(row.age_s)
        failed = Text.assemble(
            (", ".join(row.failed), "red"), " " if row.failed else "", (", ".join(row.warned), "yellow")
        )
        drawn.add_row(row.name, made, Text(row.freshness, style=_FRESHNESS.get(row.freshness, "dim")), failed)
    others = rows[MOST_ASSETS:]
    never = sum(row.age_s is None for row in others)
    ill = sum(not row.is_well for row in others)
    rest = f"and {len(others)} more: {ill} not well, {never} never made" if others else ""
    return Group(drawn, Text(rest, style="dim"))


def age(seconds: float) -> str:
    """In the largest unit of which there are two: 90 s, 5 min, 30 h, 4 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _number(per_s: float | None) -> str:
    if per_s is None:
        return "-"
    return f"{per_s:,.1f}" if per_s < 100 else f"{per_s:,.0f}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1_000 * seconds:,.1f}"
