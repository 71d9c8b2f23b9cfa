"""From what the store returned to feature vectors: which events count, and the kernel run on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from bdp_assets.features import compiled
from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.program import Program
from bdp_assets.features.records import Batch
from bdp_assets.features.spec import EXACT_EVENTS, Entity

Whole = Sequence[int] | Ints


class Shared(NamedTuple):
    """Packed tiles of each different id of a shared entity, by series; and which id each transaction has (-1:
    none)."""

    tiles: Mapping[str, Sequence[bytes]]
    code: Whole


class Seen(NamedTuple):
    """What n transactions may see. `records`, `folded`: of the customer, packed, for each transaction.

    `sequence`, `newest`: its own apply sequence and the newest event time before it. `pairs`: the packed
    summary of the pair, for each transaction, by entity. Of a `shared` entity that is not there, windows have
    their defaults.
    """

    records: Sequence[bytes]
    folded: Sequence[bytes]
    pairs: Mapping[Entity, Sequence[bytes]]
    sequence: Whole
    newest: Whole
    shared: Mapping[Entity, Shared]


class Answering:
    """Feature vectors of a batch of transactions, from what they may see."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self._program = Program(engine, layout)
        self._series = {entity: [one.name for one in series] for entity, series in layout.shared.items()}
        self._features = len(engine.catalog.names)

    def vectors(self, batch: Batch, seen: Seen) -> Floats:
        """float64 [n, features], finite. The batch has the catalog's ids."""
        groups = self._groups(seen)
        strings = list(chain.from_iterable(groups))
        nobody = [-1] * len(batch)
        owners = [seen.shared[e].code if e in seen.shared else nobody for e in self._program.shared]
        out = np.empty((len(batch), self._features), dtype=np.float64)
        compiled.answer_program(
            *(self._program.numbers, self._program.factors, EXACT_EVENTS),
            np.frombuffer(b"".join(strings), dtype=np.int64),
            np.array([*map(len, groups), *map(len, strings)], dtype=np.int64),
            len(groups),
            np.array([seen.sequence, seen.newest, *owners], dtype=np.int64),
            *(batch.table, out),
        )
        return out

    def _groups(self, seen: Seen) -> list[Sequence[bytes]]:
        """Strings as the program numbers them."""
        groups = [seen.records, seen.folded, *(seen.pairs.get(entity, ()) for entity in self._program.pairs)]
        for entity, names in self._series.items():
            shared = seen.shared.get(entity)
            groups += [() if shared is None else shared.tiles[name] for name in names]
        return groups


def nothing_seen(batch: Batch, layout: Layout) -> Seen:
    """As if nothing had happened before."""
    n = len(batch)
    shared = {
        entity: Shared(
            {one.name: [b""] * n for one in series},
            np.where(batch.columns[entity.keys[0]] >= 0, np.arange(n), -1),
        )
        for entity, series in layout.shared.items()
    }
    none = [b""] * n
    return Seen(none, none, {}, [0] * n, [0] * n, shared)
