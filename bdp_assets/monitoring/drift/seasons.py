"""The calendar: days that are like each other, so that a weekend or a month's end is not taken for drift."""

from __future__ import annotations

from datetime import date, timedelta

MONTH_TURN = "turn of the month"
_BEFORE, _AFTER = 2, 2
"""Days of the turn of a month: its last and the next one's first."""


def seasons(day: date) -> frozenset[str]:
    """What a day is: its weekday, and whether it is at the turn of a month. Days that share one are alike."""
    turn = day.day <= _AFTER or (day + timedelta(days=_BEFORE)).month != day.month
    return frozenset({f"{day:%A}", MONTH_TURN} if turn else {f"{day:%A}"})


def alike(day: date, days: list[date], gap: int = 1) -> dict[str, list[int]]:
    """Season -> positions of the days that share it and are at least `gap` days away.

    Where none shares a season, all that are far enough stand for it (season `any`).
    """
    far = [(at, seasons(other)) for at, other in enumerate(days) if abs((other - day).days) >= gap]
    found = {name: [at for at, theirs in far if name in theirs] for name in sorted(seasons(day))}
    return {name: at for name, at in found.items() if at} or {"any": [at for at, _ in far]}
