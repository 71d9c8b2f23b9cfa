"""Where a catalog's state lies in the online store, and how much of it is kept.

Under `bdp:features:<format>.<catalog version>:`, so that a new catalog, or code that keeps its state in
another way, fills beside the old one:

    live                       which generation serves (see `generations`): a store without is empty, whatever
                               the customers did
    {customer:<id>}:d:<key>    the decision about a transaction, once one is saved; of no generation

and under `bdp:features:<format>.<catalog version>:<generation>:`, so that a rebuild fills beside the one
that serves:

    {customer:<id>}:e          the customer's recent events in one packed string: what features read
    {customer:<id>}:c          their claims, one for each
    {customer:<id>}:s          earlier ones, folded: a row for each FOLD of time, and one for all before
    {customer:<id>}:p          the same of the customer's pairs, where windows over all history need it
    {<entity>:<hash of id>}    how far each source partition was added to a merchant (or another shared
                               entity); by hash, since a customer's record has no more
    {<entity>:<hash of id>}:l  its transactions that are known fraud
    {<entity>:<hash of id>}:t<size in ms>   its tiles of that size in one packed string
    positions                  how far topics were applied: see `positions`

What stands in braces decides the cluster slot: all keys of a customer, or of a merchant, lie together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import NamedTuple

from bdp_assets.features.checks import SpecError
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.records import id_hash
from bdp_assets.features.spec import CUSTOMER, Catalog, Entity, WindowFeature, retention
from bdp_assets.features.summaries import Summary
from bdp_assets.features.times import ALL_HISTORY, SECOND

FORMAT = 4
"""Of what is kept, and where: the next number with every change to records, claims, tiles or keys."""
FIRST = "0"
"""The generation of a store that no rebuild has filled."""
SHARED_DELAY = 5 * SECOND
"""Least delay of windows that workers of all partitions write: well above the slowest of them (ms)."""


class Series(NamedTuple):
    """The tiles of one size of a shared entity. `hop`: their size, `keeps`: how long they are kept (ms)."""

    hop: int
    keeps: int
    is_endless: bool
    """Whether older tiles become one row for all of history, instead of nothing."""
    features: tuple[WindowFeature, ...]
    summary: Summary

    @property
    def name(self) -> str:
        return f"t{self.hop}"


class Layout:
    """Keys, what is kept of an event (`ids`), summaries, and retention (ms of event time)."""

    def __init__(self, catalog: Catalog, root: str, generation: str = FIRST) -> None:
        owned = {e: fs for e, fs in catalog.entities.items() if e.state == "events"}
        self.root = root
        self.live = f"{root}live"
        self._name(generation)
        self.ids = tuple(sorted(_ids(owned) | _labelled(catalog)))
        self.events_ms = retention(tuple(feature for features in owned.values() for feature in features))
        self.customer = Summary(owned.get(CUSTOMER, ()))
        self.is_endless = any(_is_endless(features) for features in owned.values())
        """Whether customers are kept for good: windows over all history have to find the first event."""
        self.pairs: Mapping[Entity, Summary] = {
            entity: Summary(features)
            for entity, features in owned.items()
            if entity != CUSTOMER and _is_endless(features)
        }
        self.shared: Mapping[Entity, tuple[Series, ...]] = {
            entity: _series(features)
            for entity, features in catalog.entities.items()
            if entity.state == "tiles"
        }
        self._series = {entity: [f":{one.name}" for one in series] for entity, series in self.shared.items()}

    @classmethod
    def first(cls, catalog: Catalog) -> Layout:
        """Keys of a store that no rebuild has filled."""
        return cls(catalog, f"bdp:features:{FORMAT}.{catalog.version}:")

    def of(self, generation: str) -> Layout:
        """The same catalog's keys in another generation."""
        other = copy(self)
        other._name(generation)
        return other

    def _name(self, generation: str) -> None:
        self.generation = generation
        self.prefix = f"{self.root}{generation}:"

    @property
    def positions(self) -> str:
        return f"{self.prefix}positions"

    @property
    def events_s(self) -> int:
        """How long a customer lives who does nothing (s); 0: for good."""
        return 0 if self.is_endless else self.events_ms // 1000

    def shared_s(self, entity: Entity) -> int:
        """The same for a shared entity."""
        series = self.shared[entity]
        return 0 if any(one.is_endless for one in series) else max(one.keeps for one in series) // 1000

    def keys_of(self, customer_id: str) -> tuple[str, str, str, str]:
        """All keys of a customer: events, claims, what was folded of him and of his pairs."""
        owner = self._customer(customer_id)
        return f"{owner}:e", f"{owner}:c", f"{owner}:s", f"{owner}:p"

    def events(self, customer_id: str) -> str:
        return f"{self._customer(customer_id)}:e"

    def claims(self, customer_id: str) -> str:
        return f"{self._customer(customer_id)}:c"

    def customer_of(self, events_key: str) -> str:
        """Whose `events` that key is."""
        return events_key.removeprefix(f"{self.prefix}{{customer:").removesuffix("}:e")

    def folded(self, customer_id: str) -> str:
        return f"{self._customer(customer_id)}:s"

    def paired(self, customer_id: str) -> str:
        return f"{self._customer(customer_id)}:p"

    def decision(self, customer_id: str, transaction_key: bytes) -> str:
        return self.decisions(customer_id) + transaction_key.hex()

    def decisions(self, customer_id: str) -> str:
        """What the keys of a customer's decisions begin with; the transaction's key in hex follows."""
        return f"{self.root}{{customer:{customer_id}}}:d:"

    def keys_of_shared(self, entity: Entity, codes: Iterable[int]) -> list[list[str]]:
        """All keys of each shared entity, as tiles.lua takes them; `codes`: hashes of their ids."""
        ends = ("", ":l", *self._series[entity])
        return [[f"{begin}{end}" for end in ends] for begin in self._of_shared(entity, codes)]

    def tiles_of_shared(self, entity: Entity, codes: Iterable[int]) -> list[str]:
        """For each one the key of each series, in order."""
        ends = self._series[entity]
        return [f"{begin}{end}" for begin in self._of_shared(entity, codes) for end in ends]

    def tiles(self, entity: Entity, identifier: str) -> list[str]:
        return self.tiles_of_shared(entity, [id_hash(identifier)])

    def offsets(self, entity: Entity, identifier: str) -> str:
        return self.keys_of_shared(entity, [id_hash(identifier)])[0][0]

    def frauds(self, entity: Entity, identifier: str) -> str:
        return self.keys_of_shared(entity, [id_hash(identifier)])[0][1]

    def _of_shared(self, entity: Entity, codes: Iterable[int]) -> list[str]:
        """What the keys of each one begin with."""
        begin = f"{self.prefix}{{{entity.name}:"
        return [f"{begin}{code:016x}}}" for code in codes]

    def _customer(self, customer_id: str) -> str:
        return f"{self.prefix}{{customer:{customer_id}}}"


def _is_endless(features: Sequence[WindowFeature]) -> bool:
    return any(feature.window == ALL_HISTORY for feature in features)


def _ids(owned: Mapping[Entity, Sequence[WindowFeature]]) -> set[str]:
    keys = {key for entity in owned for key in entity.keys[1:]}
    counted = {f.column for fs in owned.values() for f in fs if f.aggregate == "distinct" and f.column}
    return keys | counted


def _labelled(catalog: Catalog) -> set[str]:
    """Whose tiles count labels: a label that does not name them finds them in its transaction's record."""
    return {f.entity.keys[0] for f in catalog.windows if f.filter == LABEL_FILTER}


def _series(features: Sequence[WindowFeature]) -> tuple[Series, ...]:
    by_hop: dict[int, list[WindowFeature]] = {}
    for feature in features:
        if feature.hop is None:
            raise SpecError(
                f"{feature.name}: online, a {feature.entity.name} is kept as tiles: give it a hop"
            )
        if feature.delay < SHARED_DELAY:
            raise SpecError(
                f"{feature.name}: other partitions write to a {feature.entity.name}, too: give it a delay of "
                f"at least {SHARED_DELAY // SECOND} s, so that its value does not depend on who is faster"
            )
        by_hop.setdefault(feature.hop, []).append(feature)
    return tuple(
        Series(hop, retention(tuple(fs)), _is_endless(fs), tuple(fs), Summary(fs))
        for hop, fs in sorted(by_hop.items())
    )
