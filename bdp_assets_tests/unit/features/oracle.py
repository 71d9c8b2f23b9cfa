"""Two naive readers of the catalog, in plain Python and straight from the docstring of `features.spec`.

They share nothing with the engine but the catalog's own words, compare every event with every transaction,
and are used by tests only. `as_corrected` knows all events by event time; `NaiveStore` answers as served,
call by call.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.spec import Catalog, RowFeature, WindowFeature

DAY = 86_400_000
REVERSIBLE = 90 * DAY


@dataclass(frozen=True)
class Change:
    """A transaction became known as fraud (+1), or ceased to be (-1)."""

    transaction: ValidatedTransaction
    sign: int
    known_at: int


def transaction_key(record: ValidatedTransaction | Label) -> tuple[str, str]:
    return record.customer_id, record.transaction_id


def as_corrected(
    transactions: Sequence[ValidatedTransaction], labels: Sequence[Label], catalog: Catalog
) -> list[list[float]]:
    first: dict[tuple[str, str], ValidatedTransaction] = {}
    for transaction in transactions:
        first.setdefault(transaction_key(transaction), transaction)
    changes = label_changes(first, sorted(labels, key=lambda label: label.known_at_ms))
    return [vector(catalog, transaction, list(first.values()), changes) for transaction in transactions]


def label_changes(
    first: Mapping[tuple[str, str], ValidatedTransaction], labels: Sequence[Label]
) -> list[Change]:
    fraud_since: dict[tuple[str, str], int] = {}
    changes = []
    for label in labels:
        key = transaction_key(label)
        if label.is_fraud and key not in fraud_since:
            fraud_since[key] = label.known_at_ms
            changes.append((key, 1, label.known_at_ms))
        if not label.is_fraud and key in fraud_since:
            stood = label.known_at_ms - fraud_since.pop(key)
            changes.append((key, -1 if stood <= REVERSIBLE else 0, label.known_at_ms))
    return [Change(first[key], sign, known_at) for key, sign, known_at in changes if key in first]


def vector(
    catalog: Catalog,
    transaction: ValidatedTransaction,
    events: Sequence[ValidatedTransaction],
    changes: Sequence[Change],
    merchant_events: Sequence[ValidatedTransaction] | None = None,
) -> list[float]:
    """`merchant_events`: what the merchants have seen, where that is not what the customers have."""
    values: dict[str, float] = {
        "ts_ms": transaction.ts_ms,
        "amount_base_minor": transaction.amount_base_minor,
    }
    for feature in catalog.features:
        if isinstance(feature, RowFeature):
            values[feature.name] = formula(feature, [values[name] for name in feature.inputs])
        else:
            tiled = merchant_events is not None and feature.entity.state == "tiles"
            seen = merchant_events if tiled and merchant_events is not None else events
            values[feature.name] = aggregate(feature, transaction, seen, changes)
    return [float(values[name]) for name in catalog.names]


def aggregate(
    feature: WindowFeature,
    transaction: ValidatedTransaction,
    events: Sequence[ValidatedTransaction],
    changes: Sequence[Change],
) -> float:
    me = entity_of(feature, transaction)
    if None in me:
        return feature.default
    inside = [
        e for e in events if entity_of(feature, e) == me and in_window(feature, transaction.ts_ms, e.ts_ms)
    ]
    if feature.include_current:
        inside.append(transaction)
    if feature.filter == "known_fraud":
        signed = [
            (change.transaction, change.sign)
            for change in changes
            if entity_of(feature, change.transaction) == me
            and in_window(
                feature, transaction.ts_ms, max(change.transaction.ts_ms, change.known_at - feature.delay)
            )
        ]
    else:
        signed = [(e, 1) for e in inside if feature.filter is None or is_night(e.ts_ms)]
    value = finish(feature, transaction, inside, signed)
    return feature.default if value is None else value / feature.scale


def finish(
    feature: WindowFeature,
    transaction: ValidatedTransaction,
    inside: Sequence[ValidatedTransaction],
    signed: Sequence[tuple[ValidatedTransaction, int]],
) -> float | None:
    n = sum(sign for _, sign in signed)
    total = sum(sign * e.amount_base_minor for e, sign in signed)
    match feature.aggregate:
        case "count":
            return n
        case "sum":
            return total
        case "mean":
            return float(total) / float(n) if n > 0 else None
        case "std":
            spread = n * sum(sign * e.amount_base_minor**2 for e, sign in signed) - total**2
            return math.sqrt(float(spread) / float(n * n)) if n > 0 else None
        case "share":
            return max(n, 0) / len(inside) if inside else None
        case "seconds_since_last":
            return (transaction.ts_ms - max(e.ts_ms for e in inside)) / 1000 if inside else None
    raise NotImplementedError(feature.aggregate)


def entity_of(feature: WindowFeature, record: ValidatedTransaction) -> tuple[str | None, ...]:
    return tuple(getattr(record, key) for key in feature.entity.keys)


def in_window(feature: WindowFeature, t: int, ts: int) -> bool:
    oldest, newest = t - feature.delay - feature.window, t - feature.delay
    if feature.hop is not None:
        return oldest // feature.hop <= ts // feature.hop < newest // feature.hop
    return oldest < ts and (ts <= newest if feature.delay else ts < newest)


def is_night(ts_ms: int) -> bool:
    return clock(ts_ms).hour < 6


def clock(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms // 1000, UTC)


def formula(feature: RowFeature, inputs: Sequence[float]) -> float:
    x = inputs[0]
    if feature.formula == "ratio":
        return x / inputs[1] if inputs[1] > 0 else feature.default
    if feature.formula == "zscore":
        return (x - inputs[1]) / inputs[2] if inputs[2] > 0 else feature.default
    return ROW_FORMULAS[feature.formula](x)


ROW_FORMULAS: Mapping[str, Callable[[float], float]] = {
    "major_units": lambda x: x / 100,
    "saturation": lambda x: x / (x + 10_000),
    "is_round": lambda x: x % 1_000 == 0,
    "is_zero": lambda x: x == 0,
    "hour": lambda x: clock(int(x)).hour,
    "weekday": lambda x: clock(int(x)).weekday(),
    "is_weekend": lambda x: clock(int(x)).weekday() in (5, 6),
    "is_night": lambda x: is_night(int(x)),
}


@dataclass
class Claimed:
    transaction: ValidatedTransaction
    source: str | None
    newest: int


@dataclass
class Answer:
    status: str
    apply_seq: int
    features: list[float] | None


@dataclass
class NaiveStore:
    """What the online store answers, from the list of everything it was ever told.

    `retention`, `tile_retention`, `tile` and `label_delay` are ms. Claims are never forgotten here: repeats
    must come while the store keeps them.
    """

    catalog: Catalog
    retention: int
    tile_retention: int
    tile: int
    label_delay: int = 7 * DAY
    claims: dict[str, list[Claimed]] = field(default_factory=lambda: defaultdict(list))
    applied: list[ValidatedTransaction] = field(default_factory=list)
    offsets: dict[tuple[str, str], int] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)

    def enrich(self, transaction: ValidatedTransaction, source: str | None) -> Answer:
        claims = self.claims[transaction.customer_id]
        known = [
            seq
            for seq, c in enumerate(claims, 1)
            if c.transaction.transaction_id == transaction.transaction_id
        ]
        if known:
            return self._again(transaction, source, known[0])
        newest = max((c.transaction.ts_ms for c in claims), default=transaction.ts_ms)
        claims.append(Claimed(transaction, source, newest))
        return Answer("new", len(claims), self._features(transaction, len(claims), newest))

    def _again(self, transaction: ValidatedTransaction, source: str | None, seq: int) -> Answer:
        claim = self.claims[transaction.customer_id][seq - 1]
        same = claim.transaction.body_hash == transaction.body_hash
        if source is None:
            status = "redelivery" if same else "conflict"
        elif claim.source == source:
            status = "redelivery"
        elif same and claim.source is None:
            status, claim.source = "redelivery", source
        else:
            status = "duplicate" if same else "conflict"
        seen = status == "redelivery"
        return Answer(status, seq, self._features(transaction, seq, claim.newest) if seen else None)

    def _features(self, transaction: ValidatedTransaction, seq: int, newest: int) -> list[float]:
        earlier = self.claims[transaction.customer_id][: seq - 1]
        events = [c.transaction for c in earlier if c.transaction.ts_ms > newest - self.retention]
        tiles, changes = self._merchant(transaction.merchant_id)
        return vector(self.catalog, transaction, events, changes, tiles)

    def _merchant(self, merchant_id: str | None) -> tuple[list[ValidatedTransaction], list[Change]]:
        """The merchant's events and label changes whose tiles are still kept."""
        events = [e for e in self.applied if e.merchant_id == merchant_id]
        changes = label_changes({transaction_key(e): e for e in events}, self.labels)
        clocks = [e.ts_ms for e in events] + [self._clock(change) for change in changes]
        horizon = max((self._tile(at) for at in clocks), default=0) - self.tile_retention
        kept = [e for e in events if self._tile(e.ts_ms) > horizon]
        return kept, [change for change in changes if self._tile(self._clock(change)) > horizon]

    def clocks(self) -> list[int]:
        """When everything that merchants were told counts."""
        changes = label_changes({transaction_key(e): e for e in self.applied}, self.labels)
        return [e.ts_ms for e in self.applied] + [self._clock(change) for change in changes]

    def _clock(self, change: Change) -> int:
        return max(change.transaction.ts_ms, change.known_at - self.label_delay)

    def _tile(self, ts_ms: int) -> int:
        return ts_ms - ts_ms % self.tile

    def apply_merchant(self, transaction: ValidatedTransaction, source: str) -> None:
        partition, _, offset = source.rpartition(":")
        place = (transaction.merchant_id or "", partition)
        if transaction.merchant_id is not None and int(offset) > self.offsets.get(place, -1):
            self.offsets[place] = int(offset)
            self.applied.append(transaction)

    def apply_label(self, label: Label) -> None:
        """A catalog that reads no labels keeps none."""
        if any(getattr(feature, "filter", None) == "known_fraud" for feature in self.catalog.features):
            self.labels.append(label)
