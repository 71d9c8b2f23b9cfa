"""The hours of a table, judged: which of them are outside their bounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from bdp_assets.monitoring.quality.findings import Check, Finding
from bdp_assets.monitoring.quality.measures import Measure
from bdp_assets.monitoring.quality.season import SEASON, WEEK_HOURS, Bounds, bounds

HOUR = timedelta(hours=1)
TOLD = 5
"""Hours that a finding names."""
_SHOWN = {Check.VOLUME: ",.0f", Check.FRESHNESS: ",.0f", Check.DUPLICATES: ".2%", Check.LATE_SHARE: ".2%"}
_UNIT = {Check.VOLUME: " rows", Check.FRESHNESS: " s"}


@dataclass(frozen=True)
class JudgedHours:
    """`hours`: hour, value, usual, low, high, outside, a row for each hour; null bounds: not judged."""

    table: str
    check: Check
    hours: pl.DataFrame

    def finding(self, day: date) -> Finding:
        start = datetime.combine(day, time(), UTC)
        mine = self.hours.filter(pl.col("hour").is_between(start, start + 24 * HOUR, closed="left"))
        judged = mine.drop_nulls(["value", "usual"])
        outside = judged.filter("outside")
        return Finding(
            self.table, day, self.check, "hours", len(judged), len(outside), self._told(mine, judged, outside)
        )

    def _told(self, mine: pl.DataFrame, judged: pl.DataFrame, outside: pl.DataFrame) -> str:
        if len(mine) and judged.is_empty():
            return f"fewer than {SEASON.least_weeks} of the {SEASON.weeks} weeks before say what is usual"
        as_shown, unit = _SHOWN[self.check], _UNIT.get(self.check, "")
        lines = [
            f"{hour:%H:%M} {value:{as_shown}}{unit}, usual {usual:{as_shown}} "
            f"({low:{as_shown}} to {high:{as_shown}})"
            for hour, value, usual, low, high, _ in outside.head(TOLD).iter_rows()
        ]
        more = [f"and {len(outside) - TOLD} hours more"] if len(outside) > TOLD else []
        return "; ".join(lines + more)


def first_needed(first: date) -> datetime:
    """Of what hours the table has to be read, so that those from the day `first` on can be judged."""
    return datetime.combine(first, time(), UTC) - (SEASON.weeks + 1) * WEEK_HOURS * HOUR


def judge(table: str, check: Check, start: datetime, measure: Measure) -> JudgedHours:
    """Judge the hours from `start` on; only volume may be too low."""
    found = bounds(measure)
    with np.errstate(invalid="ignore"):
        outside = found.value > found.high
        if check is Check.VOLUME:
            outside |= found.value < found.low
    return JudgedHours(table, check, _frame(start, found).with_columns(outside=pl.Series(outside)))


def _frame(start: datetime, found: Bounds) -> pl.DataFrame:
    hours = pl.Series("hour", [start + n * HOUR for n in range(len(found.value))], pl.Datetime("us", "UTC"))
    return pl.DataFrame([hours, *(pl.Series(*column) for column in vars(found).items())]).fill_nan(None)
