"""Which transactions are mature at a midnight: their labels have had the time that labels take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAYS = 28
"""The latest mature days that a model is judged by."""


@dataclass(frozen=True)
class Window:
    """What can be said at the midnight (UTC) at which the day `as_of` begins.

    A day is mature when `delay_days` have passed since its end. Of its labels those count that were known by
    that midnight: a label that comes later, or is reversed later, changes the figures of later midnights.
    """

    as_of: date
    delay_days: int
    days: int = DAYS

    @property
    def as_of_ms(self) -> int:
        """Epoch milliseconds."""
        return self._midnight_ms(self.as_of)

    @property
    def first(self) -> date:
        return self.last - timedelta(days=self.days - 1)

    @property
    def last(self) -> date:
        """The latest mature day."""
        return self.as_of - timedelta(days=self.delay_days + 1)

    @property
    def start_ms(self) -> int:
        """Epoch milliseconds at which the first day begins."""
        return self._midnight_ms(self.first)

    @property
    def end_ms(self) -> int:
        """Epoch milliseconds at which the last day is over."""
        return self._midnight_ms(self.last + timedelta(days=1))

    def dates(self) -> Iterator[date]:
        """Its days, in order."""
        return (self.first + timedelta(days=number) for number in range(self.days))

    @staticmethod
    def _midnight_ms(day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
