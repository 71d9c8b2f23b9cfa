"""The online store's naive reader: what it answers, from the list of everything it was ever told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.spec import Catalog, Entity, WindowFeature
from bdp_assets_tests.unit.features.oracle import (
    ALL_HISTORY,
    DAY,
    LONG_AGO,
    Change,
    Event,
    Known,
    fold,
    label_changes,
    transaction_key,
    vector,
)

SLACK = 7 * DAY


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
    """Claims are never forgotten here: repeats must come while the store keeps them."""

    catalog: Catalog
    exact_events: int = 2_000
    claims: dict[str, list[Claimed]] = field(default_factory=lambda: defaultdict(list))
    applied: dict[Entity, list[ValidatedTransaction]] = field(default_factory=lambda: defaultdict(list))
    offsets: dict[tuple[Entity, str, str], int] = field(default_factory=dict)
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
        earlier = [claim.transaction for claim in self.claims[transaction.customer_id][: seq - 1]]
        folded = max(0, len(earlier) - self.exact_events)
        own = [fold(t) for t in earlier[:folded]] + [Event(t, t.ts_ms) for t in earlier[folded:]]
        horizon = newest - self.retention(lambda f: f.entity.state == "events")
        own = [e if e.clock > horizon else replace(e, clock=LONG_AGO) for e in own]
        return vector(self.catalog, transaction, Known(own, self._shared, self._changes))

    def retention(self, wanted: Callable[[WindowFeature], bool]) -> int:
        reach = [
            f.delay + (0 if f.window == ALL_HISTORY else f.window) for f in self.catalog.windows if wanted(f)
        ]
        return max(reach, default=0) + SLACK

    @cached_property
    def _keeps(self) -> dict[tuple[Entity, int | None], int]:
        """Retention of an entity's tiles of a hop."""
        kinds = {(f.entity, f.hop) for f in self.catalog.windows}
        return {kind: self.retention(lambda f: (f.entity, f.hop) == kind) for kind in kinds}  # noqa: B023

    def _shared(self, feature: WindowFeature) -> Sequence[Event]:
        """All that was applied, each where its entity's tiles stand: those beyond the horizon long ago."""
        stands = self._horizon(feature)
        return [Event(e, e.ts_ms if stands(e, e.ts_ms) else LONG_AGO) for e in self.applied[feature.entity]]

    def _changes(self, feature: WindowFeature) -> Sequence[Change]:
        stands = self._horizon(feature)
        return [
            c if stands(c.transaction, c.clock(feature.delay)) else replace(c, long_ago=True)
            for c in self.changes(feature.entity)
        ]

    def _horizon(self, feature: WindowFeature) -> Callable[[ValidatedTransaction, int], bool]:
        """Whether what counts at a time is still in one of its entity's tiles."""
        hop = feature.hop
        assert hop is not None
        keeps = self._keeps[feature.entity, hop]
        newest: dict[object, int] = defaultdict(lambda: LONG_AGO)
        for name, at in self._clocks(feature):
            newest[name] = max(newest[name], at // hop * hop)
        (key,) = feature.entity.keys
        return lambda t, at: at // hop * hop > newest[getattr(t, key)] - keeps

    def _clocks(self, feature: WindowFeature) -> list[tuple[object, int]]:
        """When everything counts that the tiles of a feature's hop were told, and of whom."""
        (key,) = feature.entity.keys
        alike = [f for f in self.catalog.windows if (f.entity, f.hop) == (feature.entity, feature.hop)]
        delays = {f.delay for f in alike if f.filter == "known_fraud"}
        changes = self.changes(feature.entity)
        return [(getattr(e, key), e.ts_ms) for e in self.applied[feature.entity]] + [
            (getattr(c.transaction, key), c.clock(delay)) for c in changes for delay in delays
        ]

    def changes(self, entity: Entity) -> list[Change]:
        return label_changes({transaction_key(e): e for e in self.applied[entity]}, self.labels)

    def clocks(self) -> list[int]:
        """When everything counts that shared entities were told."""
        return [at for f in self.catalog.windows if f.entity.state == "tiles" for _, at in self._clocks(f)]

    def apply_shared(self, transaction: ValidatedTransaction, source: str) -> None:
        partition, _, offset = source.rpartition(":")
        for entity in self.catalog.entities:
            name = getattr(transaction, entity.keys[0])
            place = (entity, name, partition)
            if entity.state == "tiles" and name is not None and int(offset) > self.offsets.get(place, -1):
                self.offsets[place] = int(offset)
                self.applied[entity].append(transaction)

    def apply_label(self, label: Label) -> None:
        """A catalog that reads no labels keeps none."""
        if any(feature.filter == "known_fraud" for feature in self.catalog.windows):
            self.labels.append(label)
