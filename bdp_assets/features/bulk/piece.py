"""Third pass: the window features of one bucket, or of one time slice of it, by the kernel that all use."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from bdp_assets.features.bulk import spill
from bdp_assets.features.bulk.carry import Summarised, carried
from bdp_assets.features.bulk.cuts import Slice
from bdp_assets.features.bulk.owners import Owner
from bdp_assets.features.fields import Bools
from bdp_assets.features.kernel import Engine
from bdp_assets.features.labels import LabelChanges
from bdp_assets.features.spec import Entity
from bdp_assets.features.table import Carried, Table, columns_of, fill


class Piece(NamedTuple):
    """A task that needs nothing but its files. `events`: what its windows read, itself last.

    `earlier`: slices of which only summaries count. `since`: times before it are not asked (ms; None: all
    are). `range_rows`: how many rows of the output belong together.
    """

    owner: Owner
    events: tuple[Path, ...]
    earlier: tuple[Slice, ...]
    since: int | None
    changes: Path
    values: Path
    range_rows: int


class Answered(NamedTuple):
    """Where the features are: for each range of rows, where it begins in the file."""

    owner: Owner
    values: Path
    begins: dict[int, int]


def compute(piece: Piece) -> Answered:
    """Write the features of the rows asked, in order, a frame for each range: `row`, then float64."""
    owner = piece.owner
    events = pl.concat([spill.read(path, owner.schema) for path in piece.events]).sort("row")
    asked = _asked(piece, events)
    if not asked.any():
        return Answered(owner, piece.values, {})
    rows = events["row"].filter(pl.Series(asked))
    table = _table(piece, events)
    engine = Engine(owner.catalog)
    matrix = engine.empty(len(rows))
    all_asked = np.concatenate([asked, np.zeros(len(table.ts) - len(asked), dtype=np.bool_)])
    for entity, plan in engine.plans.items():
        fill(matrix, plan, table, entity, all_asked)
    names = dict(zip(owner.catalog.names, matrix, strict=True))
    return _written(piece, pl.DataFrame({"row": rows, **names}))


def _asked(piece: Piece, events: pl.DataFrame) -> Bools:
    asked = events["row"].to_numpy() >= 0
    return asked if piece.since is None else asked & (events["ts_ms"].to_numpy() >= piece.since)


def _table(piece: Piece, events: pl.DataFrame) -> Table:
    """The events, then rows that only lend their keys: of what labels are about, and of what is carried."""
    owner = piece.owner
    labels = spill.read(piece.changes, owner.label_schema)
    found = {entity: carried(owner, entity, piece.earlier) for entity in owner.endless}
    before = {entity: one for entity, one in found.items() if one is not None}
    frame = pl.concat(
        [events, labels.drop("sign", "known_at_ms"), *(one.keys for one in before.values())], how="diagonal"
    ).with_columns(pl.col("is_event").fill_null(False), pl.col("ts_ms", "amount_base_minor").fill_null(0))
    changes = LabelChanges(
        np.arange(len(events), len(events) + len(labels)),
        labels["sign"].to_numpy(),
        labels["known_at_ms"].to_numpy(),
    )
    lent = len(events) + len(labels)
    return Table(columns_of(frame, owner.ids), frame["is_event"].to_numpy(), changes, _lent(before, lent))


def _lent(before: dict[Entity, Summarised], first: int) -> dict[Entity, Carried]:
    """Which rows of the table, from `first` on, have the keys of what is carried."""
    placed = {}
    for entity, one in before.items():
        placed[entity] = Carried(np.arange(first, first + len(one.keys)), one.summary, one.rows)
        first += len(one.keys)
    return placed


def _written(piece: Piece, answers: pl.DataFrame) -> Answered:
    range_ = answers["row"].to_numpy() // piece.range_rows
    first = np.flatnonzero(np.diff(range_, prepend=-1))
    ends = np.append(first[1:], len(answers))
    begins = {
        int(range_[begin]): spill.append(piece.values, answers[begin:end])
        for begin, end in zip(first.tolist(), ends.tolist(), strict=True)
    }
    return Answered(piece.owner, piece.values, begins)
