"""From the catalog's words to the integers to read: window ends, fields, features computed together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bdp_assets.features.aggregates import AGGREGATES, LookKind, SumName
from bdp_assets.features.compiled.codes import NO_ROW
from bdp_assets.features.fields import EVENTS, Field
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.spec import WindowFeature
from bdp_assets.features.times import ALL_HISTORY


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


class Look(NamedTuple):
    """What is looked for in a window: the extreme of a field (of its place, for `last`) over the events that
    are `seen`, and `none` where there are none. Distinct counts look for `id`; runs for where they began."""

    kind: LookKind
    field: Field
    seen: Field
    none: int


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


def sums_of(feature: WindowFeature) -> dict[SumName, Sum]:
    """The sums that a feature's aggregate reads."""
    field, (start, end) = field_of(feature), window_of(feature)
    fields: dict[SumName, Field] = {
        "events": EVENTS,
        "matching": field._replace(column=None),
        "total": field._replace(kind="sum"),
        "squares_high": field._replace(kind="squares_high"),
        "squares_low": field._replace(kind="squares_low"),
    }
    reads = AGGREGATES[feature.aggregate].sums
    return {name: Sum(fields[name], start, end, feature.include_current) for name in reads}


def look_of(feature: WindowFeature) -> Look | None:
    """What a feature's aggregate looks for."""
    kind = AGGREGATES[feature.aggregate].look
    if kind is None:
        return None
    field = field_of(feature)
    seen = field._replace(kind="seen", column=None, hop=(feature.hop or 0) if field.of_labels else 0)
    assert kind != "run"  # noqa: S101 - that one is `run_of`
    # Times of labels are those of their tiles.
    column = field.column if kind not in ("first_ms", "last_ms") else None
    read = field._replace(kind=kind, column=column, hop=0 if column else seen.hop)
    return Look(kind, read, seen, NO_ROW if kind == "last" else read.absent)


def run_of(feature: WindowFeature) -> Look | None:
    """What says where the run began that a feature's aggregate reads."""
    if not AGGREGATES[feature.aggregate].of_run:
        return None
    return Look("run", field_of(feature)._replace(hop=feature.hop or 0), EVENTS, 0)


def own_fields(features: Sequence[WindowFeature]) -> list[Field]:
    """What must be known of the transaction itself: for sums and extremes that include it."""
    current = [f for f in features if f.include_current]
    found = [one.field for f in current for one in sums_of(f).values()]
    found += [look.field for f in current if (look := look_of(f)) is not None]
    return list(dict.fromkeys(found))
