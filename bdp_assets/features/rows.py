"""What batch makes histories of: events of a table, and the changes of their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bdp_assets.features.aggregates import Ints
from bdp_assets.features.fields import Field, event_field
from bdp_assets.features.labels import LabelChanges


class Sorted(Mapping[str, Ints]):
    """Columns in an order of rows, each put there once, when it is first asked for."""

    def __init__(self, columns: Mapping[str, Ints], rows: Ints) -> None:
        self._columns = columns
        self._rows = rows
        self._sorted: dict[str, Ints] = {}

    def __getitem__(self, name: str) -> Ints:
        if name not in self._sorted:
            self._sorted[name] = self._columns[name][self._rows]
        return self._sorted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class EventRows:
    """`columns` of events, by entity and time. `entity`: codes from 0, int64 [n]."""

    are_events = True

    def __init__(self, columns: Mapping[str, Ints], entity: Ints) -> None:
        self._columns = columns
        self.entity = entity
        self.ts = self._columns["ts_ms"]

    def field(self, field: Field) -> Ints:
        return np.zeros_like(self.ts) if field.of_labels else event_field(field, self._columns)


class Changes(NamedTuple):
    """Label changes of the `entity` (code) whose transaction each one is about; `ts` of all transactions."""

    entity: Ints
    ts: Ints
    changes: LabelChanges

    def between(self, first: int, last: int) -> Changes:
        """Those of the entities with codes from first to last."""
        mine = (self.entity >= first) & (self.entity <= last)
        return Changes(self.entity[mine], self.ts, self.changes.where(mine))


class LabelledRows:
    """Events, and after them a row for each label change for each delay that windows declare."""

    are_events = False

    def __init__(self, events: EventRows, changes: Changes, delays: Sequence[int]) -> None:
        self._events = events
        self._sign = changes.changes.sign
        self._labelled = changes.entity
        self._clocks = {delay: changes.changes.clock(changes.ts, delay) for delay in delays}
        self.entity = np.concatenate([events.entity, *(changes.entity for _ in delays)])
        self.ts = np.concatenate([events.ts, *self._clocks.values()])

    def field(self, field: Field) -> Ints:
        if field.kind in ("first_ms", "last_ms"):
            return self.ts
        absent = np.full_like(self._sign, field.absent)
        if not field.of_labels:
            return np.concatenate([self._events.field(field), *(absent for _ in self._clocks)])
        counted = self._seen(field) if field.kind == "seen" else self._sign
        labels = (counted if delay == field.delay else absent for delay in self._clocks)
        return np.concatenate([self._events.field(field), *labels])

    def _seen(self, field: Field) -> Ints:
        """1 for the changes of a tile in which more frauds became known than were taken back."""
        tiles = np.stack([self._labelled, self._clocks[field.delay] // field.hop])
        _, tile = np.unique(tiles, axis=1, return_inverse=True)
        tile = tile.reshape(-1)
        return (np.bincount(tile, weights=self._sign)[tile] > 0).astype(np.int64)
