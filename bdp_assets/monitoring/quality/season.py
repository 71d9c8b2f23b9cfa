"""What is usual for an hour of the week: median and MAD of the same hour in the weeks before it.

Nothing here knows how many rows a table should have. Two things keep a short history from crying wolf: an
hour is never taken to vary less than chance alone makes it, nor less than the table's other hours do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bdp_assets.monitoring.quality.measures import Bools, Floats, Measure

WEEK_HOURS = 7 * 24
_MAD_TO_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


@dataclass(frozen=True)
class Season:
    """How an hour is judged."""

    weeks: int = 8
    """Past weeks that are looked at."""
    least_weeks: int = 4
    """Of these so many must have said something of the hour; else it is not judged."""
    sensitivity: float = 6.0
    """Deviations from the median within which an hour is usual; more: fewer false alarms, and missed ones."""


SEASON = Season()


@dataclass(frozen=True)
class Bounds:
    """Float64 [hours] each, in the measure's own unit; NaN: not judged."""

    value: Floats
    usual: Floats
    low: Floats
    high: Floats


def bounds(measure: Measure, season: Season = SEASON) -> Bounds:
    """Bounds of each hour of `measure`, whose hours follow each other without a gap.

    The longer the series, the better known is how much an hour varies; a week of hours that can be judged is
    enough.
    """
    past = np.stack([_earlier(measure.x, week * WEEK_HOURS) for week in range(1, season.weeks + 1)])
    known = np.isfinite(past).sum(axis=0) >= season.least_weeks
    past = past[:, known]
    usual = np.nanmedian(past, axis=0)
    chance = measure.chance(usual, known)
    varies = _MAD_TO_SD * np.nanmedian(np.abs(past - usual), axis=0) / chance
    typical = float(np.median(varies)) if len(varies) else 1.0
    width = season.sensitivity * chance * np.maximum(varies, max(typical, 1.0))
    placed = [_placed(known, x) for x in (usual, usual - width, usual + width)]
    return Bounds(measure.value, *map(measure.back, placed))


def _earlier(x: Floats, hours: int) -> Floats:
    """The series as it was so many hours before each of its hours; NaN before it began."""
    shifted = np.full(len(x), np.nan)
    shifted[hours:] = x[: max(len(x) - hours, 0)]
    return shifted


def _placed(where: Bools, values: Floats) -> Floats:
    """The values at the hours that the mask chooses; NaN at the others."""
    placed = np.full(len(where), np.nan)
    placed[where] = values
    return placed
