"""What a feature must not say, with a sentence for whoever wrote it. Run when the catalog is imported."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bdp_assets.contracts.records import EnrichedTransaction, Label
from bdp_assets.features.aggregates import AGGREGATES
from bdp_assets.features.formulas import COLUMNS, FILTERS, FORMULAS, IDS, LABEL_FILTER, NUMBERS
from bdp_assets.features.times import ALL_HISTORY, LONGEST_WINDOW

if TYPE_CHECKING:
    from bdp_assets.features.spec import Entity, RowFeature, WindowFeature

_TAKEN = {*EnrichedTransaction.__struct_fields__, *COLUMNS, "event_date"}


class SpecError(ValueError):
    """The catalog says something that can not be computed, or not meant. The message says what to write
    instead."""


def check_entity(entity: Entity) -> None:
    """Raises SpecError."""
    name, (first, *others) = entity.name, entity.keys or ("",)
    _refuse(
        not (name.isascii() and name.isidentifier()), name, "an entity's name has letters, digits and _ only"
    )
    if entity.state == "events":
        _refuse(
            first != "customer_id",
            name,
            "what is kept as events belongs to a customer: its first key must be customer_id",
        )
        _refuse(len(others) > 1, name, "a pair has one key beside customer_id")
        keys = others
    else:
        _refuse(bool(others), name, "what is kept as tiles has one key")
        keys = [first]
    for key in keys:
        if key not in IDS:
            raise SpecError(_unknown(name, "key", key, IDS))


def check_window(feature: WindowFeature) -> None:
    """Raises SpecError."""
    _check_name(feature.name, feature.default)
    _check_aggregate(feature)
    _check_times(feature)
    if feature.filter is not None:
        _check_filter(feature)


def check_row(feature: RowFeature) -> None:
    """Raises SpecError."""
    _check_name(feature.name, feature.default)
    formula = FORMULAS.get(feature.formula)
    if formula is None:
        raise SpecError(_unknown(feature.name, "formula", feature.formula, FORMULAS))
    wrong = len(feature.inputs) != formula.arity
    sentence = f"{feature.formula} takes {formula.arity} inputs, not {len(feature.inputs)}"
    _refuse(wrong, feature.name, sentence)


def check_order(features: Sequence[WindowFeature | RowFeature]) -> None:
    """Names are unique, and row features read what stands above them. Raises SpecError."""
    known = set(COLUMNS)
    for feature in features:
        _refuse(feature.name in known, feature.name, "another feature has this name already; choose another")
        missing = sorted(set(getattr(feature, "inputs", ())) - known)
        _refuse(bool(missing), feature.name, f"no column or feature above it is named {', '.join(missing)}")
        known.add(feature.name)


def _check_name(name: str, default: float) -> None:
    plain = name.isascii() and name.isidentifier()
    _refuse(not plain, name, "a feature's name becomes a column: letters, digits and _ only")
    _refuse(name in _TAKEN, name, "the transaction itself has a field of this name; choose another")
    _refuse(not math.isfinite(default), name, "its default must be a finite number: models take no others")


def _check_aggregate(feature: WindowFeature) -> None:
    name, said, aggregate = feature.name, feature.aggregate, AGGREGATES.get(feature.aggregate)
    if aggregate is None:
        raise SpecError(_unknown(name, "aggregate", said, AGGREGATES))
    _refuse(aggregate.column is not None and feature.column is None, name, f"{said} needs a column: of what?")
    _refuse(aggregate.column is None and feature.column is not None, name, f"{said} takes no column")
    known = IDS if aggregate.column == "id" else NUMBERS
    if feature.column is not None and feature.column not in known:
        raise SpecError(_unknown(name, "column", feature.column, known))
    _refuse(aggregate.needs_filter and feature.filter is None, name, f"{said} needs a filter: which part?")
    own = feature.include_current and not aggregate.takes_current
    _refuse(own, name, f"{said} is about the events before; leave include_current out")
    tiled = feature.entity.state == "tiles" and not aggregate.tiles
    _refuse(tiled, name, f"{said} needs exact events, and {feature.entity.name} is kept as tiles")
    untiled = feature.entity.state != "tiles" or feature.hop is None
    sentence = f"{said} counts whole tiles: it is for entities that are kept as tiles (merchant), with a hop"
    _refuse(aggregate.of_run and untiled, name, sentence)
    endless = feature.window == ALL_HISTORY and not aggregate.all_history
    _refuse(endless, name, f"{said} over all history would need all of it; give it a window of up to 90 days")


def _check_times(feature: WindowFeature) -> None:
    name, window, hop = feature.name, feature.window, feature.hop
    endless = window == ALL_HISTORY
    fits = 1 <= window <= LONGEST_WINDOW or endless
    _refuse(not fits, name, "its window must be from 1 ms to 90 days, or ALL_HISTORY")
    _refuse(feature.delay < 0, name, "its delay must not be negative: that would look into the future")
    _refuse(feature.delay > LONGEST_WINDOW, name, "its delay must not be longer than 90 days")
    _refuse(feature.scale < 1, name, "its scale must be 1 or more")
    if hop is not None:
        _refuse(hop < 1, name, "its hop must be at least 1 ms")
        _refuse(window < hop, name, "its window is shorter than its hop, so that no tile fits in it")
        _refuse(not endless and window % hop != 0, name, "its window must be a whole number of hops")


def _check_filter(feature: WindowFeature) -> None:
    name = feature.name
    if feature.filter != LABEL_FILTER:
        if feature.filter not in FILTERS:
            raise SpecError(_unknown(name, "filter", str(feature.filter), [*FILTERS, LABEL_FILTER]))
        return
    late = "labels become known late: known_fraud needs a delay, as long as labels usually take"
    _refuse(feature.delay == 0, name, late)
    own = "a transaction's own label is not known when it is scored; leave include_current out"
    _refuse(feature.include_current, name, own)
    labelled = feature.entity.state == "tiles" and feature.entity.keys[0] in Label.__struct_fields__
    _refuse(not labelled, name, "known_fraud is for entities that labels name and tiles keep (merchant)")
    _refuse(feature.column is not None, name, "known_fraud counts labels, and labels carry no amount")
    if feature.aggregate.startswith("seconds_since"):
        _refuse(feature.hop is None, name, "times since a known fraud count from its tile: give it a hop")
        endless = feature.window == ALL_HISTORY
        _refuse(endless, name, "a label may be taken back: give it a window of up to 90 days")


def _unknown(name: str, kind: str, said: str, known: Iterable[str]) -> str:
    return f"{name}: there is no {kind} {said!r}; there are {', '.join(known)}"


def _refuse(wrong: bool, name: str, sentence: str) -> None:
    if wrong:
        raise SpecError(f"{name}: {sentence}")
