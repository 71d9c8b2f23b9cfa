"""Plans on rows as the store keeps them: one compiled call an entity, however few the rows are.

What is computed is what `kernel.Plan.run` computes on a `history.History` of the same rows; property tests of
the store against its oracle hold it to that, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bdp_assets.features import compiled
from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.compiled import codes
from bdp_assets.features.fields import Bools, Field, matching, source_of
from bdp_assets.features.kernel import Plan
from bdp_assets.features.summaries import Summary
from bdp_assets.features.windows import Look

_NONE = np.zeros(0, dtype=np.int64)
_KINDS = {"id": codes.PLACE_BEFORE, "run": codes.STARTS, "last": codes.PLACE}
_UNMATCHED: NDArray[np.bool_] = np.zeros((0, 0), dtype=np.bool_)


class Part(NamedTuple):
    """n rows of entities: `entity` codes from 0, `ts` when they count (ms), int64 [n]; `columns`, int64
    [columns, n or more]."""

    entity: Ints
    ts: Ints
    columns: Ints


NO_PART = Part(_NONE, _NONE, np.zeros((1, 0), dtype=np.int64))


class Asked(NamedTuple):
    """Queries: whose rows each may see (`entity`), `ts`, and its row in the matrix of answers; int64 [n]."""

    entity: Ints
    ts: Ints
    rows: Ints


class PackedPlan:
    """A plan ready for summaries of one layout, and for events with columns of these names."""

    def __init__(self, plan: Plan, summary: Summary | None, names: Sequence[str]) -> None:
        self.plan = plan
        self._names = list(names)
        looked_at = [field for look in plan.looks for field in (look.field, *_decides(look))]
        self._fields = list(dict.fromkeys([*plan.fields, *looked_at, *plan.picked]))
        self._filters: list[tuple[str | None, bool]] = []
        """What decides whether a field is read of an event: a filter, and whether it has to be exact."""
        self._summaries = _table([self._of_summary(field, summary) for field in self._fields], codes.SOURCE)
        self._events = {
            all_exact: _table([self._of_events(field, all_exact) for field in self._fields], codes.SOURCE)
            for all_exact in (True, False)
        }
        self._filtered = {all_exact: _reads(table) for all_exact, table in self._events.items()}
        self._looking = _table([self._look(look) for look in plan.looks], codes.LOOKING)
        self._picking = np.array([self._fields.index(field) for field in plan.picked], dtype=np.int64)

    def run(  # noqa: PLR0913, PLR0917 - two kinds of rows, and where answers go
        self, summaries: Part, events: Part, exact: Bools | None, asked: Asked, own: Ints, matrix: Floats
    ) -> None:
        """Write what is asked into `matrix`, float64 [features, rows]; `own`: fields of each row, int64
        [fields, rows]. `exact`: which events are, bool [n]; None: all. Raises OverflowError."""
        all_exact = exact is None
        fits = compiled.answer_packed(
            *(*summaries, self._summaries, *events, self._events[all_exact], self._matches(events, exact)),
            *(len(self.plan.fields), self._looking, self.plan.codes, self._picking),
            *(*asked, self.plan.own_at, own, *self.plan.tables, self.plan.slots, matrix),
        )
        if not fits:
            raise OverflowError("too many entities over too long a time for one sort; split the rows")

    def column(self, name: str, events: Part) -> Ints:
        """A column of events."""
        found: Ints = events.columns[self._names.index(name)]
        return found[: len(events.ts)]

    def _matches(self, events: Part, exact: Bools | None) -> NDArray[np.bool_]:
        n = len(events.ts)
        if not n or not self._filtered[exact is None]:
            return _UNMATCHED
        columns = {name: row[:n] for name, row in zip(self._names, events.columns, strict=True)}
        found = np.empty((len(self._filters), n), dtype=np.bool_)
        for at in self._filtered[exact is None]:
            name, only_exact = self._filters[at]
            match = matching(name, columns)
            found[at] = True if match is None else match
            if only_exact and exact is not None:
                found[at] &= exact
        return found

    def _of_summary(self, field: Field, summary: Summary | None) -> tuple[int, ...]:
        if summary is None:
            return codes.ABSENT, 0, -1, field.absent
        op, column, absent = summary.source(field)
        return op, column, -1, absent

    def _of_events(self, field: Field, all_exact: bool) -> tuple[int, ...]:
        if field.of_labels:  # Events have none; their tiles do.
            return codes.ABSENT, 0, -1, field.absent
        source = source_of(field)
        column = 0 if source.column is None else self._names.index(source.column)
        decided_by = (source.filter, field.kind == "id" and not all_exact)
        if decided_by == (None, False):
            return source.op, column, -1, source.absent
        if decided_by not in self._filters:
            self._filters.append(decided_by)
        return source.op, column, self._filters.index(decided_by), source.absent

    def _look(self, look: Look) -> tuple[int, ...]:
        kind = _KINDS.get(look.kind, codes.PLAIN)
        seen = [self._fields.index(field) for field in _decides(look)] or [-1]
        return kind, self._fields.index(look.field), *seen, look.none, look.field.hop


def _decides(look: Look) -> list[Field]:
    """What decides whether a row is looked at; extremes have a number for where nothing matches."""
    return [] if look.kind in ("min", "max", "id") else [look.seen]


def _reads(sources: Ints) -> list[int]:
    """Which filters some sources ask."""
    return sorted({at for at in sources[:, codes.SOURCE_MATCH].tolist() if at >= 0})


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
