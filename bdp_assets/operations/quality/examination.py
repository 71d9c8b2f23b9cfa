"""One look at the quality of the lake: every check of every table, for some days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bdp_assets.clients.lake import Lake
from bdp_assets.features.times import HOUR
from bdp_assets.monitoring.quality.findings import Check, Finding, Score, scores
from bdp_assets.monitoring.quality.hours import JudgedHours, first_needed
from bdp_assets.operations.quality.catalog import WATCHED, Watched
from bdp_assets.operations.quality.rows import check_rows
from bdp_assets.operations.quality.series import Span, judged_hours

SETTLING = timedelta(minutes=10)
"""What came lately may still be on its way to a table: an hour is judged when it is over for so long."""


@dataclass(frozen=True)
class Examination:
    """All findings, by table, day and check; the hours behind them, of every week that was read."""

    findings: list[Finding]
    hours: list[JudgedHours]

    @property
    def scores(self) -> list[Score]:
        return scores(self.findings)

    def of(self, check: Check) -> list[Finding]:
        return [finding for finding in self.findings if finding.check is check]


def examine(lake: Lake, first: date, last: date, now: datetime) -> Examination:
    """Judge the days first..last as far as they are over at `now` (UTC)."""
    span = Span(first_needed(first), _judged_until(last, now))
    findings: list[Finding] = []
    hours: list[JudgedHours] = []
    for watched in WATCHED:
        if lake.exists(watched.table):
            of_table = list(judged_hours(lake, watched, span))
            hours += of_table
            for day in _days(first, last):
                findings += _of_day(lake, watched, day, span, of_table)
    return Examination(findings, hours)


def _of_day(
    lake: Lake, watched: Watched, day: date, span: Span, hours: list[JudgedHours]
) -> Iterator[Finding]:
    yield from check_rows(lake, watched, day, int(span.end.timestamp() * 1000))
    yield from (judged.finding(day) for judged in hours)


def _judged_until(last: date, now: datetime) -> datetime:
    """The end of the latest hour of those days that is over, and settled."""
    midnight = datetime.combine(last + timedelta(days=1), time(), UTC)
    settled_ms = int((now - SETTLING).timestamp() * 1000) // HOUR * HOUR
    return min(midnight, datetime.fromtimestamp(settled_ms / 1000, UTC))


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
