"""What an aggregate reads of a group's windows: `aggregates.Window` on a sorted history."""

from __future__ import annotations

import numpy as np

from bdp_assets.features.aggregates import NONE_HIGHEST, NONE_LOWEST, Floats, Ints
from bdp_assets.features.fields import NEVER, Field, Kind
from bdp_assets.features.history import History, Queries
from bdp_assets.features.slices import distinct, extreme
from bdp_assets.features.windows import Group, floored


class Cells:
    """One group's windows for some rows: int64 [windows, rows] each."""

    def __init__(self, group: Group, history: History, queries: Queries, found: Ints, sums: Ints) -> None:
        self._group = group
        self._history = history
        self._queries = queries
        self._found = found
        self._sums = sums

    def sum(self, name: str) -> Ints:
        return self._sums[self._group.sums[name]]

    def lowest(self) -> Ints:
        return self._extreme("min", np.minimum, NONE_LOWEST)

    def highest(self) -> Ints:
        return self._extreme("max", np.maximum, NONE_HIGHEST)

    def last_value(self) -> Floats:
        row = self._last_row()
        values = self._history.field(self._field("last"))
        return np.where(row >= 0, values[row] if values.size else 0, np.nan)

    def last_age_ms(self) -> Floats:
        if self._history.summarised:
            return self._age(self._over("last_ms", np.maximum, -1), -1)
        row = self._last_row()
        times = self._history.field(self._field("last_ms"))
        return self._age(np.where(row >= 0, times[row] if times.size else 0, -1), -1)

    def first_age_ms(self) -> Floats:
        if self._history.summarised:
            return self._age(self._over("first_ms", np.minimum, NEVER), NEVER)
        start, end = self._ends()
        row = start if self._all_match else self._history.first_seen(self._field("seen"))[start]
        seen = row < end
        times = self._history.field(self._field("first_ms"))
        return self._age(np.where(seen, times[np.where(seen, row, 0)] if times.size else 0, NEVER), NEVER)

    def distinct(self) -> Ints:
        codes = self._history.field(self._field("id"))
        return np.array([distinct(codes, *ends) for ends in zip(*self._ends(), strict=True)])

    def _field(self, kind: Kind) -> Field:
        return self._group.fields[kind]

    @property
    def _all_match(self) -> bool:
        """Whether each row of the history is an event that matches."""
        return self._history.are_events and not self._group.is_filtered

    def _ends(self) -> tuple[Ints, Ints]:
        return self._found[self._group.start], self._found[self._group.end]

    def _last_row(self) -> Ints:
        """The last matching row in each window, -1 without one."""
        start, end = self._ends()
        row = end - 1 if self._all_match else self._history.last_seen(self._field("seen"))[end]
        return np.where(row >= start, row, -1)

    def _extreme(self, kind: Kind, ufunc: np.ufunc, none: int) -> Ints:
        found = extreme(self._history.field(self._field(kind)), *self._ends(), ufunc, none)
        if self._group.with_own:
            ufunc(found, self._queries.own[self._field(kind)], out=found)
        return found

    def _over(self, kind: Kind, ufunc: np.ufunc, none: int) -> Ints:
        times = np.where(
            self._history.field(self._field("seen")) > 0, self._history.field(self._field(kind)), none
        )
        return extreme(times, *self._ends(), ufunc, none)

    def _age(self, since: Ints, none: int) -> Floats:
        """ms from a time to each transaction; with a hop, from the start of its tile."""
        return np.where(since == none, np.nan, self._queries.ts - floored(since, self._group.hop))
