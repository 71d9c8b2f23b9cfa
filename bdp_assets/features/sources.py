"""How compiled loops read fields of rows (see `compiled.stored`): which columns, and which rows count."""

from __future__ import annotations

from collections.abc import Mapping

from bdp_assets.features.compiled import codes
from bdp_assets.features.fields import Field, source_of
from bdp_assets.features.formulas import FILTERS
from bdp_assets.features.summaries import Summary

Source = tuple[int, int, int, int]
"""As the columns of a table of sources in `codes`."""
_ENDLESS = 2**62


class Columns:
    """Those of a row's columns that something reads, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self.used: list[int] = []

    def at(self, column: int) -> int:
        """Where a column stands among them."""
        if column not in self.used:
            self.used.append(column)
        return self.used.index(column)

    def pair(self, column: int) -> int:
        """Where a column stands that is followed by the next one."""
        self.used += [column, column + 1]
        return len(self.used) - 2


class EventSources:
    """Of events. `places`: which column of a row each name is."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places
        self.columns = Columns()
        self.tests: list[tuple[int, ...]] = []

    def of(self, field: Field) -> Source:
        """Ids of events that are not exact do not count."""
        if field.of_labels:  # Events have none; their tiles do.
            return codes.ABSENT, 0, -1, field.absent
        source = source_of(field)
        column = 0 if source.column is None else self._column(source.column)
        return source.op, column, self._test(source.filter, field.kind == "id"), source.absent

    def _column(self, name: str) -> int:
        return self.columns.at(self._places[name])

    def _test(self, name: str | None, of_exact: bool) -> int:
        """What decides whether a field is read of an event: its place among the tests; -1: nothing does."""
        if name is None and not of_exact:
            return -1
        test: tuple[int, ...] = (-1, 0, 0, 0, 0, of_exact)
        if name is not None:
            one = FILTERS[name]
            # In single units, so that one remainder says what a quotient and a remainder would.
            spans = (one.least * one.unit, min(one.below * one.unit, _ENDLESS))
            test = (self._column(one.column), *spans, one.start * one.unit, one.period * one.unit, of_exact)
        if test not in self.tests:
            self.tests.append(test)
        return self.tests.index(test)


class TileSources:
    """Of a summary's rows; None: nothing is kept."""

    def __init__(self, summary: Summary | None) -> None:
        self._summary = summary
        self.columns = Columns()

    def of(self, field: Field) -> Source:
        if self._summary is None:
            return codes.ABSENT, 0, -1, field.absent
        op, column, absent = self._summary.source(field)
        if op == codes.ABSENT:
            return op, 0, -1, absent
        at = self.columns.pair(column) if op == codes.SPLIT else self.columns.at(column)
        return op, at, -1, absent
