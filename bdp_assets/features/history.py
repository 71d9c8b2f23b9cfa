"""Events of an entity kind, sorted so that any window of any entity is one slice with known sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from bdp_assets.features import compiled
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.fields import EVENTS, Field
from bdp_assets.features.windows import Look


class Rows(Protocol):
    """n events, and summaries of several, in order of arrival within each entity.

    `entity`: codes from 0; `ts`: when they count (ms), or BEFORE; int64 [n] each. `are_events`: whether each
    row is one event.
    """

    @property
    def entity(self) -> Ints: ...
    @property
    def ts(self) -> Ints: ...
    @property
    def are_events(self) -> bool: ...
    def field(self, field: Field) -> Ints: ...


@dataclass(frozen=True)
class Queries:
    """n transactions to answer: `entity` codes, `ts`, int64 [n], and their `own` fields, int64 [fields, n].

    `exact_from`: how many sorted rows of the history lie before those that are exact for each; None: all are.
    Those in the history's order are answered several times faster: what is near was just looked at.
    """

    entity: Ints
    ts: Ints
    own: Ints
    exact_from: Ints | None = None


class Looks(NamedTuple):
    """What is looked at, int64 [looks, n], and the pyramids over it (see `compiled.extremes`)."""

    rows: Ints
    levels: Ints


class History:
    """Rows, sorted by entity and time. Those of the same time stay in order of arrival."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        entity, ts = rows.entity, np.ascontiguousarray(rows.ts)
        first, last, most = compiled.extent(entity, ts)
        self.shift, self.span = 1 - first, last - first + 3
        """A row's key is `entity * span + max(ts + shift, 0)`."""
        if (most + 1) * self.span >= 2**63:
            raise OverflowError(
                f"{most + 1} entities over {self.span} ms are too many for one sort; split the rows"
            )
        self.keys = np.empty(len(ts), dtype=np.int64)
        self._order: Ints | None = None
        if not compiled.order_keys(entity, ts, self.shift, self.span, self.keys):
            self._order = np.argsort(self.keys, kind="stable")
            self.keys = self.keys[self._order]

    def __len__(self) -> int:
        return len(self.keys)

    def field(self, field: Field) -> Ints:
        """A field of each sorted row, int64 [n]."""
        values = self._rows.field(field)
        return values if self._order is None else values[self._order]

    def running_sums(self, fields: Sequence[Field]) -> Ints:
        """int64 [fields, n + 1]: a slice's sum is the difference of two."""
        sums = np.empty((len(fields), len(self) + 1), dtype=np.int64)
        sums[:, 0] = 0
        for row, field in zip(sums, fields, strict=True):
            row[1:] = 1 if field == EVENTS and self._rows.are_events else self.field(field)
        compiled.add_up(sums)
        return sums

    def looks(self, wanted: Sequence[Look], codes: Ints) -> Looks:
        """`codes`: the aggregate of each."""
        rows = np.empty((len(wanted), len(self)), dtype=np.int64)
        for row, look in zip(rows, wanted, strict=True):
            self._look(look, row)
        levels = np.empty((len(wanted), compiled.pyramid_size(len(self))), dtype=np.int64)
        compiled.build_pyramids(rows, codes, levels)
        return Looks(rows, levels)

    def picked(self, fields: Sequence[Field]) -> Ints:
        """Fields of the sorted rows, int64 [fields, n]."""
        rows = np.empty((len(fields), len(self)), dtype=np.int64)
        for row, field in zip(rows, fields, strict=True):
            row[:] = self.field(field)
        return rows

    def _look(self, look: Look, row: Ints) -> None:
        if look.kind == "id":
            table = np.full(1 << (len(row).bit_length() + 1), -1, dtype=np.int64)
            compiled.places_before(np.ascontiguousarray(self.field(look.field)), 0, table, row)
            return
        if look.kind == "run":
            events = np.ones_like(row) if self._rows.are_events else self.field(look.seen)
            counted = (np.ascontiguousarray(events), np.ascontiguousarray(self.field(look.field)))
            compiled.run_starts(self.keys, self.shift, self.span, look.field.hop, *counted, row)
            return
        row[:] = np.arange(len(row)) if look.kind == "last" else self.field(look.field)
        if look.kind in ("min", "max"):
            return
        if look.seen.filter is not None or not self._rows.are_events:
            row[self.field(look.seen) <= 0] = look.none
