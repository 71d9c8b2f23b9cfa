"""From the catalog's words to the integers to sum: window ends, terms, features computed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from bdp_assets.features.aggregates import AGGREGATES, Aggregate, Floats, Ints
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.history import EVENTS, Measure, Term
from bdp_assets.features.spec import WindowFeature

T = TypeVar("T")


class Bound(NamedTuple):
    """One end of a window: `t - shift`, floored to a multiple of `hop` where there is one (0: none)."""

    hop: int
    shift: int


class Sum(NamedTuple):
    """A term summed from bound to bound, with the transaction itself or without."""

    term: Term
    start: Bound
    end: Bound
    with_own: bool


class Group(NamedTuple):
    """Features that differ in their windows only. `start`, `end`, `sums`: rows of what a plan finds."""

    aggregate: Aggregate
    measure: Measure
    with_own: bool
    slots: Ints
    scale: Floats | None
    default: Floats
    start: Ints
    end: Ints
    sums: Mapping[str, Ints]


def measure_of(feature: WindowFeature) -> Measure:
    return Measure(feature.column, feature.filter, feature.delay if feature.filter == LABEL_FILTER else 0)


def window_of(feature: WindowFeature) -> tuple[Bound, Bound]:
    """Both ends as half-open bounds: `start <= e.ts < end` (see the docstring of `spec`)."""
    reach = feature.delay + feature.window
    if feature.hop:
        return Bound(feature.hop, reach), Bound(feature.hop, feature.delay)
    return Bound(0, reach - 1), Bound(0, max(feature.delay - 1, 0))


def sums_of(feature: WindowFeature) -> dict[str, Sum]:
    """What a feature's aggregate reads, under the names of `aggregates.Window`."""
    measure = measure_of(feature)
    terms = {
        "events": Term(EVENTS),
        "matching": Term(measure._replace(column=None)),
        "total": Term(measure),
        "squares": Term(measure, squared=True),
    }
    start, end = window_of(feature)
    reads = AGGREGATES[feature.aggregate].reads
    return {name: Sum(terms[name], start, end, feature.include_current) for name in reads}


def alike(features: Sequence[WindowFeature]) -> list[list[WindowFeature]]:
    groups: dict[object, list[WindowFeature]] = {}
    for feature in features:
        likeness = (feature.aggregate, measure_of(feature), feature.include_current)
        groups.setdefault(likeness, []).append(feature)
    return list(groups.values())


def group_of(
    members: Sequence[WindowFeature], slots: Mapping[str, int], bounds: Sequence[Bound], sums: Sequence[Sum]
) -> Group:
    scale = column_of([f.scale for f in members]).astype(np.float64)
    read = [sums_of(f) for f in members]
    return Group(
        aggregate=AGGREGATES[members[0].aggregate],
        measure=measure_of(members[0]),
        with_own=members[0].include_current,
        slots=column_of([slots[f.name] for f in members]),
        scale=None if (scale == 1).all() else scale,
        default=np.array([[f.default] for f in members], dtype=np.float64),
        start=rows_of(bounds, [window_of(f)[0] for f in members]),
        end=rows_of(bounds, [window_of(f)[1] for f in members]),
        sums={name: rows_of(sums, [one[name] for one in read]) for name in read[0]},
    )


def measures_in(terms: Sequence[Term]) -> tuple[Measure, ...]:
    return tuple(dict.fromkeys(term.measure for term in terms if term.measure != EVENTS))


def rows_of(all_: Sequence[T], wanted: Sequence[T]) -> Ints:
    return np.array([all_.index(one) for one in wanted], dtype=np.int64)


def column_of(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)[:, None]
