"""What windows over all history have to know of earlier time slices: one summary row an entity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from bdp_assets.features.aggregates import Ints
from bdp_assets.features.bulk import spill
from bdp_assets.features.bulk.cuts import Slice
from bdp_assets.features.bulk.owners import Owner
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.labels import NO_CHANGES
from bdp_assets.features.rows import EventRows, Sorted
from bdp_assets.features.spec import Entity
from bdp_assets.features.summaries import Summary
from bdp_assets.features.table import Table, codes_of, columns_of


class Carrying(NamedTuple):
    """A slice whose events are to be summarised."""

    owner: Owner
    slice: Slice


class Summarised(NamedTuple):
    """Entities by their `keys` (String columns), and a row of `summary` for each: int64 [n, width]."""

    keys: pl.DataFrame
    summary: Summary
    rows: Ints


def summary_path(slice_: Slice, entity: Entity) -> Path:
    return slice_.path.with_suffix(f".{entity.name}")


def summarise(task: Carrying) -> None:
    """Write the summaries of a slice, for each entity with a window over all history, beside it."""
    owner, slice_ = task
    frame = spill.read(slice_.path, owner.schema).filter("is_event").sort("row")
    table = Table(columns_of(frame, owner.ids), np.ones(len(frame), dtype=np.bool_), NO_CHANGES)
    for entity in owner.endless:
        order, codes = table.sort(entity)
        summary = _summary(owner, entity)
        # The latest of several slices is in the last of them: they are counted through.
        sequence = slice_.rows_before + np.arange(len(order))
        start = np.full(len(order), BEFORE)
        single = summary.rows(start, EventRows(Sorted(table.columns, order), codes).field, sequence)
        _, rows = summary.merge(codes, single)
        first = order[np.flatnonzero(np.diff(codes, prepend=-1))]
        keys = frame.select(entity.keys)[first]
        columns = {f"{i}": rows[:, i] for i in range(summary.width)}
        path = summary_path(slice_, entity)
        path.unlink(missing_ok=True)  # A task may be run again when its worker died.
        spill.append(path, keys.with_columns(pl.DataFrame(columns)))


def carried(owner: Owner, entity: Entity, slices: Sequence[Slice]) -> Summarised | None:
    """The merged summaries of slices; None when they say nothing."""
    summary = _summary(owner, entity)
    found = [spill.read(summary_path(one, entity), pl.Schema()) for one in slices]
    frame = pl.concat([one for one in found if len(one)] or [pl.DataFrame()])
    if frame.is_empty():
        return None
    group = _grouped(frame.select(entity.keys))
    table = frame.select(f"{i}" for i in range(summary.width)).to_numpy()
    groups, rows = summary.merge(group, np.ascontiguousarray(table))
    _, first = np.unique(group, return_index=True)
    return Summarised(frame.select(entity.keys)[first[groups].astype(np.uint32)], summary, rows)


def _summary(owner: Owner, entity: Entity) -> Summary:
    return Summary(owner.catalog.entities[entity])


def _grouped(keys: pl.DataFrame) -> Ints:
    """The same code from 0 for rows with the same keys."""
    codes = np.stack([codes_of(keys[name]) for name in keys.columns])
    _, group = np.unique(codes, axis=1, return_inverse=True)
    return np.asarray(group.reshape(-1), dtype=np.int64)
