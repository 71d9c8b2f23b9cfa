"""What a bench is, what it is asked and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.goals import Goal

Figures = dict[str, Any]
"""Numbers by name, in sections that may nest; the unit ends the name (`_s`, `_ms`, `_per_s`, `_bytes`)."""


@dataclass(frozen=True)
class Request:
    """`repeats`: rounds in which every side runs once, after a warm-up; None: the bench's own number.

    `data`: a file in place of the bench's own data, for benches that read one; `folds`: first training days,
    for the one that trains. `say`: told what is under way.
    """

    data: Path | None = None
    folds: tuple[date, ...] = ()
    repeats: int | None = None
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Outcome:
    """What was measured. `data`: on what, so that nobody takes one file's figures for another's."""

    repeats: int
    data: Figures
    ours: Figures
    floor: Figures
    ratios: Figures
    peers: Figures = field(default_factory=dict)


class Plot(NamedTuple):
    """Bars for the page: label -> path of the figure (`floor.seconds_s`), shown in units of `unit`."""

    title: str
    axis: str
    figures: Mapping[str, str]
    unit: float = 1
    logarithmic: bool = False


@dataclass(frozen=True)
class Bench:
    """`goals`: by the path of the figure that each one judges. `run` raises Problem."""

    name: str
    summary: str
    run: Callable[[Request], Outcome]
    goals: Mapping[str, Goal]
    plots: tuple[Plot, ...] = ()
