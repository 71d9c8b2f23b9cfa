"""A naive reader of the catalog, in plain Python and straight from the docstring of `features.spec`.

It shares nothing with the engine but the catalog's own words, compares every event with every transaction,
and is used by tests only. `as_corrected` knows all events by event time; `naive_store` answers as served.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.spec import Catalog, RowFeature, WindowFeature

HOUR = 3_600_000
DAY = 24 * HOUR
REVERSIBLE = 90 * DAY
ALL_HISTORY = 2**50
LONG_AGO = -(2**60)


@dataclass(frozen=True)
class Event:
    """An event as a window sees it. `clock`: when it counts; `exact`: it was not folded."""

    transaction: ValidatedTransaction
    clock: int
    exact: bool = True


@dataclass(frozen=True)
class Change:
    """A transaction became known as fraud (+1), or ceased to be (-1)."""

    transaction: ValidatedTransaction
    sign: int
    known_at: int
    long_ago: bool = False

    def clock(self, delay: int) -> int:
        return LONG_AGO if self.long_ago else max(self.transaction.ts_ms, self.known_at - delay)


@dataclass(frozen=True)
class Known:
    """What one transaction sees, in order of arrival: its customer's events, those of what all share, and
    label changes."""

    own: Sequence[Event]
    shared: Callable[[WindowFeature], Sequence[Event]]
    changes: Callable[[WindowFeature], Sequence[Change]]


def transaction_key(record: ValidatedTransaction | Label) -> tuple[str, str]:
    return record.customer_id, record.transaction_id


def as_corrected(
    transactions: Sequence[ValidatedTransaction],
    labels: Sequence[Label],
    catalog: Catalog,
    exact_events: int = 2_000,
) -> list[list[float]]:
    first: dict[tuple[str, str], int] = {}
    for arrival, transaction in enumerate(transactions):
        first.setdefault(transaction_key(transaction), arrival)
    in_time = sorted(first.values(), key=lambda arrival: (transactions[arrival].ts_ms, arrival))
    events = {key: transactions[arrival] for key, arrival in first.items()}
    changes = label_changes(events, sorted(labels, key=lambda label: label.known_at_ms))
    everything = [Event(transactions[arrival], transactions[arrival].ts_ms) for arrival in in_time]
    vectors = []
    for arrival, transaction in enumerate(transactions):
        mine = [a for a in in_time if transactions[a].customer_id == transaction.customer_id]
        before = [a for a in mine if (transactions[a].ts_ms, a) < (transaction.ts_ms, arrival)]
        folded = set(before[: max(0, len(before) - exact_events)])
        own = [
            fold(transactions[a]) if a in folded else Event(transactions[a], transactions[a].ts_ms)
            for a in mine
        ]
        known = Known(own, lambda _: everything, lambda _: changes)
        vectors.append(vector(catalog, transaction, known))
    return vectors


def fold(transaction: ValidatedTransaction) -> Event:
    return Event(transaction, transaction.ts_ms // HOUR * HOUR, exact=False)


def label_changes(
    first: Mapping[tuple[str, str], ValidatedTransaction], labels: Sequence[Label]
) -> list[Change]:
    fraud_since: dict[tuple[str, str], int] = {}
    changes: list[Change] = []
    for label in labels:
        key = transaction_key(label)
        if key not in first:
            continue
        known_at = max(label.known_at_ms, first[key].ts_ms)
        if label.is_fraud and key not in fraud_since:
            fraud_since[key] = known_at
            changes.append(Change(first[key], 1, known_at))
        if not label.is_fraud and key in fraud_since and known_at - fraud_since.pop(key) <= REVERSIBLE:
            changes.append(Change(first[key], -1, known_at))
    return changes


def vector(catalog: Catalog, transaction: ValidatedTransaction, known: Known) -> list[float]:
    values: dict[str, float] = {
        "ts_ms": transaction.ts_ms,
        "amount_base_minor": transaction.amount_base_minor,
    }
    for feature in catalog.features:
        if isinstance(feature, RowFeature):
            values[feature.name] = formula(feature, [values[name] for name in feature.inputs])
        else:
            values[feature.name] = aggregate(feature, transaction, known)
    return [float(values[name]) for name in catalog.names]


def aggregate(feature: WindowFeature, transaction: ValidatedTransaction, known: Known) -> float:
    me = entity_of(feature, transaction)
    if None in me:
        return feature.default
    events = known.shared(feature) if feature.entity.state == "tiles" else known.own
    inside = [
        e
        for e in events
        if entity_of(feature, e.transaction) == me and in_window(feature, transaction.ts_ms, e)
    ]
    # Stable: of the same time in order of arrival. Folded events of a pair have no time (see in_window).
    timeless = len(feature.entity.keys) > 1
    inside.sort(key=lambda e: e.clock if e.exact or not timeless else LONG_AGO)
    if feature.include_current:
        inside.append(Event(transaction, transaction.ts_ms))
    if feature.filter == "known_fraud":
        changes = [c for c in known.changes(feature) if entity_of(feature, c.transaction) == me]
        value = of_labels(feature, transaction, inside, changes)
    else:
        matching = [e for e in inside if feature.filter is None or FILTERS[feature.filter](e.transaction)]
        value = (
            run(feature, transaction, inside, [(e.clock, 1) for e in matching])
            if feature.aggregate in RUNS
            else finish(feature, transaction, len(inside), matching)
        )
    return feature.default if value is None else value / feature.scale


def of_labels(
    feature: WindowFeature,
    transaction: ValidatedTransaction,
    events: Sequence[Event],
    changes: Sequence[Change],
) -> float | None:
    clocked = [(c.clock(feature.delay), c) for c in changes]
    inside = [
        (clock, c)
        for clock, c in clocked
        if in_window(feature, transaction.ts_ms, Event(c.transaction, clock))
    ]
    frauds = sum(change.sign for _, change in inside)
    if feature.aggregate == "count":
        return frauds
    if feature.aggregate == "share":
        return max(frauds, 0) / len(events) if events else None
    if feature.aggregate in RUNS:
        return run(feature, transaction, events, [(clock, change.sign) for clock, change in inside])
    tiles: dict[int, int] = defaultdict(int)
    for clock, change in inside:
        assert feature.hop is not None
        tiles[clock // feature.hop * feature.hop] += change.sign
    starts = [start for start, frauds in tiles.items() if frauds > 0]
    pick = {"seconds_since_first": min, "seconds_since_last": max}[feature.aggregate]
    return (transaction.ts_ms - pick(starts)) / 1000 if starts else None


RUNS = ("run_count", "seconds_since_run")


def run(
    feature: WindowFeature,
    transaction: ValidatedTransaction,
    events: Sequence[Event],
    matches: Sequence[tuple[int, int]],
) -> float | None:
    """What matched in the last tiles in each of which everything matched that happened."""
    assert feature.hop is not None
    happened: dict[int, int] = defaultdict(int)
    matched: dict[int, int] = defaultdict(int)
    for event in events:
        happened[event.clock // feature.hop] += 1
    for clock, sign in matches:
        matched[clock // feature.hop] += sign
    last: list[int] = []
    for tile in sorted({*happened, *matched}, reverse=True):
        if matched[tile] < happened[tile]:
            break
        last.append(tile)
    if feature.aggregate == "run_count":
        return sum(matched[tile] for tile in last)
    starts = [tile * feature.hop for tile in last if matched[tile] > 0]
    return (transaction.ts_ms - min(starts)) / 1000 if starts else None


def finish(
    feature: WindowFeature, transaction: ValidatedTransaction, events: int, matching: Sequence[Event]
) -> float | None:
    n, amounts = len(matching), [e.transaction.amount_base_minor for e in matching]
    match feature.aggregate:
        case "count":
            return n
        case "sum":
            return sum(amounts)
        case "share":
            return n / events if events else None
        case "distinct":
            values = {getattr(e.transaction, str(feature.column)) for e in matching}
            return len(values - {None})
    if not matching:
        return None
    return _of_some(feature, transaction, matching)


def _of_some(feature: WindowFeature, transaction: ValidatedTransaction, matching: Sequence[Event]) -> float:
    if feature.aggregate in AMOUNTS:
        return AMOUNTS[feature.aggregate]([e.transaction.amount_base_minor for e in matching])
    times = [e.transaction.ts_ms for e in matching]
    if feature.hop is not None:
        times = [ts // feature.hop * feature.hop for ts in times]
    pick = {"seconds_since_first": min, "seconds_since_last": max}[feature.aggregate]
    return (transaction.ts_ms - pick(times)) / 1000


def std(amounts: Sequence[int]) -> float:
    n = len(amounts)
    spread = n * sum(amount**2 for amount in amounts) - sum(amounts) ** 2
    return math.sqrt(float(spread) / float(n * n))


AMOUNTS: Mapping[str, Callable[[Sequence[int]], float]] = {
    "mean": lambda amounts: float(sum(amounts)) / float(len(amounts)),
    "std": std,
    "min": min,
    "max": max,
    "last": lambda amounts: amounts[-1],
}


def entity_of(feature: WindowFeature, record: ValidatedTransaction) -> tuple[str | None, ...]:
    return tuple(getattr(record, key) for key in feature.entity.keys)


def in_window(feature: WindowFeature, t: int, event: Event) -> bool:
    endless = feature.window == ALL_HISTORY
    if not event.exact:
        if feature.aggregate == "distinct":
            return False
        if len(feature.entity.keys) > 1:
            return endless
    oldest, newest, ts = t - feature.delay - feature.window, t - feature.delay, event.clock
    if feature.hop is not None:
        begins, ends = oldest // feature.hop * feature.hop, newest // feature.hop * feature.hop
    else:
        begins, ends = oldest + 1, newest + 1 if feature.delay else newest
    return (endless or begins <= ts) and ts < ends


def clock(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms // 1000, UTC)


FILTERS: Mapping[str, Callable[[ValidatedTransaction], bool]] = {
    "night": lambda t: clock(t.ts_ms).hour < 6,
    "weekend": lambda t: clock(t.ts_ms).weekday() in (5, 6),
    "high_value": lambda t: t.amount_base_minor >= 50_000,
}


def formula(feature: RowFeature, inputs: Sequence[float]) -> float:
    x = inputs[0]
    if feature.formula == "ratio":
        return x / inputs[1] if inputs[1] > 0 else feature.default
    if feature.formula == "zscore":
        return (x - inputs[1]) / inputs[2] if inputs[2] > 0 else feature.default
    if feature.formula == "difference":
        return x - inputs[1]
    return ROW_FORMULAS[feature.formula](x)


ROW_FORMULAS: Mapping[str, Callable[[float], float]] = {
    "major_units": lambda x: x / 100,
    "saturation": lambda x: x / (x + 10_000),
    "is_round": lambda x: x % 1_000 == 0,
    "is_high_value": lambda x: x >= 50_000,
    "is_zero": lambda x: x == 0,
    "hour": lambda x: clock(int(x)).hour,
    "weekday": lambda x: clock(int(x)).weekday(),
    "is_weekend": lambda x: clock(int(x)).weekday() in (5, 6),
    "is_night": lambda x: clock(int(x)).hour < 6,
}
