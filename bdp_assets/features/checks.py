"""What a feature must not say, with a sentence for whoever wrote it. Run when the catalog is imported."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bdp_assets.contracts.records import EnrichedTransaction
from bdp_assets.features.aggregates import AGGREGATES
from bdp_assets.features.formulas import COLUMNS, EVENT_COLUMNS, FILTERS, FORMULAS, LABEL_FILTER

if TYPE_CHECKING:
    from bdp_assets.features.spec import RowFeature, WindowFeature

LONGEST_WINDOW = 90 * 86_400_000  # ms
_TAKEN = {*EnrichedTransaction.__struct_fields__, *COLUMNS, "event_date"}


class SpecError(ValueError):
    """The catalog says something that can not be computed, or not meant. The message says what to write
    instead."""


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
    name, aggregate = feature.name, AGGREGATES.get(feature.aggregate)
    if aggregate is None:
        raise SpecError(_unknown(name, "aggregate", feature.aggregate, AGGREGATES))
    column, said = feature.column is not None, feature.aggregate
    _refuse(aggregate.needs_column and not column, name, f"{said} needs a column: of what?")
    _refuse(column and not aggregate.needs_column, name, f"{said} takes no column")
    if column and feature.column not in EVENT_COLUMNS:
        raise SpecError(_unknown(name, "column", str(feature.column), EVENT_COLUMNS))
    _refuse(aggregate.needs_filter and feature.filter is None, name, f"{said} needs a filter: which part?")
    _refuse(not aggregate.takes_filter and feature.filter is not None, name, f"{said} takes no filter")
    own = feature.include_current and not aggregate.takes_current
    _refuse(own, name, f"{said} with the transaction itself is always 0; leave include_current out")
    tiled = feature.entity.state == "tiles" and not aggregate.from_tiles
    _refuse(tiled, name, f"{said} needs exact events, and {feature.entity.name} is kept as tiles")


def _check_times(feature: WindowFeature) -> None:
    name, window, hop = feature.name, feature.window, feature.hop
    _refuse(not 1 <= window <= LONGEST_WINDOW, name, "its window must be from 1 ms to 90 days")
    _refuse(feature.delay < 0, name, "its delay must not be negative: that would look into the future")
    _refuse(feature.scale < 1, name, "its scale must be 1 or more")
    if hop is not None:
        _refuse(hop < 1, name, "its hop must be at least 1 ms")
        _refuse(window < hop, name, "its window is shorter than its hop, so that no tile fits in it")
        _refuse(window % hop != 0, name, "its window must be a whole number of hops")


def _check_filter(feature: WindowFeature) -> None:
    name = feature.name
    if feature.filter == LABEL_FILTER:
        late = "labels become known late: known_fraud needs a delay, as long as labels usually take"
        _refuse(feature.delay == 0, name, late)
        own = "a transaction's own label is not known when it is scored; leave include_current out"
        _refuse(feature.include_current, name, own)
        _refuse(
            feature.entity.state != "tiles", name, "known_fraud is kept for tiled entities only (merchant)"
        )
    elif feature.filter not in FILTERS:
        raise SpecError(_unknown(name, "filter", str(feature.filter), [*FILTERS, LABEL_FILTER]))


def _unknown(name: str, kind: str, said: str, known: Iterable[str]) -> str:
    return f"{name}: there is no {kind} {said!r}; there are {', '.join(known)}"


def _refuse(wrong: bool, name: str, sentence: str) -> None:
    if wrong:
        raise SpecError(f"{name}: {sentence}")
