"""From the catalog's words to the integers to read: window ends, fields, features computed together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar, get_args

import numpy as np

from bdp_assets.features.aggregates import AGGREGATES, Aggregate, Ints
from bdp_assets.features.fields import EVENTS, Field, Kind
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.spec import WindowFeature
from bdp_assets.features.times import ALL_HISTORY

T = TypeVar("T")
Index = Ints | slice
"""Rows of an array: a slice where they follow each other, since that copies nothing."""
EXTREMES: tuple[Kind, ...] = ("min", "max")


class Bound(NamedTuple):
    """One end of a window: `t - shift`, floored to a multiple of `hop` where there is one (0: none).

    `exact`: it lies among exact events only; folded ones are left out.
    """

    exact: bool
    hop: int
    shift: int

    @property
    def is_endless(self) -> bool:
        return self.shift >= ALL_HISTORY - 1


class Sum(NamedTuple):
    """A field added up from bound to bound, with the transaction itself or without."""

    field: Field
    start: Bound
    end: Bound
    with_own: bool


class Group(NamedTuple):
    """Features finished together. `start`, `end`, `sums`: rows of what a plan finds.

    Where there are no sums, they differ in their windows only, and `fields` (what each kind of reading
    reads), `hop` and `with_own` are those of all. `columns`: their place among the plan's features.
    """

    aggregate: Aggregate
    fields: Mapping[Kind, Field]
    is_filtered: bool
    hop: int
    with_own: bool
    columns: slice
    start: Index
    end: Index
    sums: Mapping[str, Index]


def field_of(feature: WindowFeature) -> Field:
    delay = feature.delay if feature.filter == LABEL_FILTER else 0
    return Field("count", feature.column, feature.filter, delay)


def window_of(feature: WindowFeature) -> tuple[Bound, Bound]:
    """Both ends as half-open bounds: `start <= e.ts < end` (see the docstring of `spec`)."""
    exact = len(feature.entity.keys) > 1 or feature.aggregate == "distinct"
    reach = feature.delay + feature.window
    if feature.hop:
        return Bound(exact, feature.hop, reach), Bound(exact, feature.hop, feature.delay)
    return Bound(exact, 0, reach - 1), Bound(exact, 0, max(feature.delay - 1, 0))


def sums_of(feature: WindowFeature) -> dict[str, Sum]:
    """The sums that a feature's aggregate reads, under the names of `aggregates.Window.sum`."""
    field, (start, end) = field_of(feature), window_of(feature)
    fields = {
        "events": EVENTS,
        "matching": field._replace(column=None),
        "total": field._replace(kind="sum"),
        "squares_high": field._replace(kind="squares_high"),
        "squares_low": field._replace(kind="squares_low"),
    }
    reads = AGGREGATES[feature.aggregate].sums
    return {name: Sum(fields[name], start, end, feature.include_current) for name in reads}


def by_field(sums: Iterable[Sum], bounds: Sequence[Bound]) -> list[Sum]:
    """Each once; those of one field, which are read and changed together, stand together."""
    unique = dict.fromkeys(sums)
    fields = list(dict.fromkeys(one.field for one in unique))

    def place(one: Sum) -> tuple[int, ...]:
        return one.with_own, fields.index(one.field), bounds.index(one.end), bounds.index(one.start)

    return sorted(unique, key=place)


def alike(features: Sequence[WindowFeature]) -> list[list[WindowFeature]]:
    """Features that are finished together: what reads sums only asks no more than the same aggregate."""
    groups: dict[object, list[WindowFeature]] = {}
    for feature in features:
        likeness: tuple[object, ...] = (feature.aggregate,)
        if not AGGREGATES[feature.aggregate].sums:
            likeness += (field_of(feature), feature.hop, feature.include_current)
        groups.setdefault(likeness, []).append(feature)
    return list(groups.values())


def group_of(
    members: Sequence[WindowFeature], first: int, bounds: Sequence[Bound], sums: Sequence[Sum]
) -> Group:
    """`first`: place of the first one among the plan's features."""
    read = [sums_of(f) for f in members]
    hop, field = members[0].hop or 0, field_of(members[0])
    return Group(
        aggregate=AGGREGATES[members[0].aggregate],
        fields={kind: _read_as(kind, field, hop) for kind in get_args(Kind)},
        is_filtered=field.filter is not None,
        hop=hop,
        with_own=members[0].include_current,
        columns=slice(first, first + len(members)),
        start=index_of(bounds, [window_of(f)[0] for f in members]),
        end=index_of(bounds, [window_of(f)[1] for f in members]),
        sums={name: index_of(sums, [one[name] for one in read]) for name in read[0]},
    )


def _read_as(kind: Kind, field: Field, hop: int) -> Field:
    keeps_column = kind in ("min", "max", "last", "id")
    return field._replace(
        kind=kind,
        column=field.column if keeps_column else None,
        hop=hop if field.of_labels and not keeps_column else 0,
    )


def own_fields(features: Sequence[WindowFeature]) -> list[Field]:
    """What must be known of the transaction itself: for sums and extremes that include it."""
    found = [one.field for f in features if f.include_current for one in sums_of(f).values()]
    for kind in EXTREMES:
        found += [
            field_of(f)._replace(kind=kind) for f in features if f.include_current and f.aggregate == kind
        ]
    return list(dict.fromkeys(found))


def floored(times: Ints, hop: int) -> Ints:
    """Times down to a whole multiple of `hop`, or as they are where it is 0."""
    return times - times % hop if hop else times


def rows_of(all_: Sequence[T], wanted: Sequence[T]) -> Ints:
    return np.array([all_.index(one) for one in wanted], dtype=np.int64)


def index_of(all_: Sequence[T], wanted: Sequence[T]) -> Index:
    rows = rows_of(all_, wanted)
    return slice(int(rows[0]), int(rows[-1]) + 1) if (np.diff(rows) == 1).all() else rows


def column_of(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)[:, None]
