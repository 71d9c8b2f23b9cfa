"""The online store: claims transactions and computes their features, as served, in one round trip.

Redis keeps integers only (see `layout`); its scripts apply and deduplicate, and the batch kernel runs on what
they return, so that online and batch can not disagree. A transaction sees the customer's events that were
applied before it, within the retention (longest window + 7 days) behind the newest one, and the tiles of its
merchant as they stand at the call. Claims leave with their events.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bdp_assets.clients.redis import Command, Redis, Script, run
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.aggregates import Floats
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.folding import fold, pair_fields, surplus
from bdp_assets.features.kernel import Engine
from bdp_assets.features.label_places import place_labels
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Batch, source, transaction_key
from bdp_assets.features.served import Answering, Seen, Shared, nothing_seen
from bdp_assets.features.shared import TILES, label_calls, transaction_calls
from bdp_assets.features.spec import EXACT_EVENTS, Catalog, Entity

if TYPE_CHECKING:
    import polars as pl

    from bdp_assets.features.rebuild import RebuildResult

Status = Literal["new", "redelivery", "duplicate", "conflict"]
_STATUS: tuple[Status, ...] = ("new", "redelivery", "duplicate", "conflict")  # as claim.lua numbers them
_ANSWERED = 2  # Statuses below this one come with state.
_RECORDS, _FOLDED, _DECISION, _PAIRS = 3, 4, 5, 6  # where they stand in a reply

CLAIM = Script(files("bdp_assets.features").joinpath("claim.lua").read_text())
_NO_FEATURES: Floats = np.zeros(0, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What the store says of one transaction.

    `features`: float64 in catalog order, finite; empty for a duplicate or conflict. `apply_seq`: the
    customer's apply sequence: the transaction saw exactly events with a smaller one. `decision`: what was
    saved for it before.
    """

    status: Status
    apply_seq: int
    features: Floats
    decision: bytes | None

    @property
    def is_folded(self) -> bool:
        """Whether the customer has more events than are kept exact."""
        return self.apply_seq - 1 > EXACT_EVENTS


class OnlineStore:
    """The store of one catalog. All but `features_without_history` raise `StoreUnavailable` when Redis is
    away."""

    def __init__(self, client: Redis, catalog: Catalog = CATALOG) -> None:
        """Connects on first use. Raises SpecError for a catalog with windows that only batch can answer."""
        self.client = client
        self.catalog = catalog
        self.engine = Engine(catalog)
        self.layout = Layout(catalog, f"bdp:features:{catalog.version}:")
        self._answering = Answering(self.engine, self.layout)

    def enrich(
        self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str | None]
    ) -> list[Enrichment]:
        """Claim each transaction and compute its features; they are applied in the order given.

        `coordinates`: `topic id:partition:offset` of each message, None for a call of the API.
        """
        modes = ["api" if place is None else "stream" for place in coordinates]
        return self._enrich(transactions, [source(place) for place in coordinates], modes)

    def enrich_dry(self, transaction: ValidatedTransaction) -> Enrichment:
        """What `enrich` would answer an API call now; nothing is claimed or applied."""
        return self._enrich([transaction], [source(None)], ["dry"])[0]

    def features_without_history(self, transaction: ValidatedTransaction) -> Floats:
        """The features as if nothing had happened before: for when the store is away or empty. Calls
        nobody."""
        batch = Batch.of([transaction], self.catalog.ids)
        return self._answering.vectors(batch, nothing_seen(batch, self.layout)).reshape(-1)

    def save_decision(self, transaction: ValidatedTransaction, decision: bytes) -> bytes:
        """Keep a decision with its claim. The first one stands, and is returned."""
        return self.save_decisions([transaction], [decision])[0]

    def save_decisions(
        self, transactions: Sequence[ValidatedTransaction], decisions: Sequence[bytes]
    ) -> list[bytes]:
        """The same for several, in one round trip."""
        keys = [self.layout.decision(t.customer_id, t.transaction_id) for t in transactions]
        commands: list[Command] = []
        for key, decision in zip(keys, decisions, strict=True):
            commands += [("SET", key, decision, "NX", "EX", self.layout.events_ms // 1000), ("GET", key)]
        return run(self.client, commands)[1::2]

    def decision(self, customer_id: str, transaction_id: str) -> bytes | None:
        """The decision that was saved for a transaction, None without one."""
        reply: bytes | None = run(self.client, [("GET", self.layout.decision(customer_id, transaction_id))])[
            0
        ]
        return reply

    def apply_shared(self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str]) -> None:
        """Add transactions to the tiles of their merchants and other shared entities: stream only, after
        `enrich`, no duplicates or conflicts.

        A partition's offsets come in order; an entity adds none that it has passed. Each one is changed by
        one script, so that a transaction counts once however often it is delivered.
        """
        run(self.client, transaction_calls(self.layout, transactions, coordinates), [TILES])

    def apply_labels(
        self, labels: Sequence[Label], coordinates: Sequence[str | None] | None = None
    ) -> list[bool]:
        """Add labels to their merchants' tiles, those of a transaction in order of known_at_ms.

        Returns whether each one's transaction is known: by the store, or else by the label's own time and
        merchant. Others change nothing. `coordinates` as for `enrich`: each message counts once.
        """
        places = coordinates or [None] * len(labels)
        placed = place_labels(self.client, self.layout, labels)
        known = [(one, place) for one, place in zip(placed, places, strict=True) if one is not None]
        calls = label_calls(self.layout, [one for one, _ in known], [place for _, place in known])
        run(self.client, calls, [TILES])
        return [one is not None for one in placed]

    def rebuild(self, transactions: pl.DataFrame, labels: pl.DataFrame) -> RebuildResult:
        """Replace this catalog's whole state by what tables say; see `rebuild.rebuild`."""
        from bdp_assets.features.rebuild import rebuild

        return rebuild(self, transactions, labels)

    def ready(self) -> bool:
        """Whether a rebuild has filled the store for this catalog: without it, it knows nobody's history."""
        return bool(run(self.client, [("EXISTS", self.layout.ready)])[0])

    def _enrich(
        self, transactions: Sequence[ValidatedTransaction], sources: Sequence[bytes], modes: Sequence[str]
    ) -> list[Enrichment]:
        batch = Batch.of(transactions, self.catalog.ids)
        claims = list(self._claims(transactions, batch, sources, modes))
        wanted = [
            (entity, dict.fromkeys(i for i in batch.ids[entity.keys[0]] if i))
            for entity in self.layout.shared
        ]
        reads: list[Command] = [
            (
                "HMGET",
                self.layout.tiles(entity, identifier),
                *(one.name for one in self.layout.shared[entity]),
            )
            for entity, identifiers in wanted
            for identifier in identifiers
        ]
        replies = run(self.client, [*claims, *reads], [CLAIM])
        answers, tiles = replies[: len(claims)], iter(replies[len(claims) :])
        shared = {
            entity: self._shared(entity, batch, [next(tiles) for _ in ids], list(ids))
            for entity, ids in wanted
        }
        vectors = self._answering.vectors(batch, self._seen(answers, shared))
        if modes != ["dry"]:
            self._fold(transactions, answers)
        return [_enrichment(answer, vector) for answer, vector in zip(answers, vectors, strict=True)]

    def _claims(
        self,
        transactions: Sequence[ValidatedTransaction],
        batch: Batch,
        sources: Sequence[bytes],
        modes: Sequence[str],
    ) -> Iterator[Command]:
        layout, kept = self.layout, batch.kept(self.layout.ids)
        pairs = [pair_fields(entity, batch.columns[entity.keys[1]]) for entity in layout.pairs]
        for i, (t, place, mode) in enumerate(zip(transactions, sources, modes, strict=True)):
            customer = t.customer_id
            keys = (
                *(layout.events(customer), layout.decision(customer, t.transaction_id)),
                *(layout.folded(customer), layout.paired(customer)),
            )
            yield CLAIM.call(
                keys,
                *(mode, transaction_key(t.transaction_id), struct.pack("<q", t.ts_ms), place),
                *(bytes.fromhex(t.body_hash), kept[i].tobytes(), layout.events_s),
                *(fields[i] for fields in pairs),
            )

    def _shared(
        self, entity: Entity, batch: Batch, replies: Sequence[list[bytes | None]], identifiers: Sequence[str]
    ) -> Shared:
        code = {identifier: i for i, identifier in enumerate(identifiers)}
        codes = np.array([code.get(i or "", -1) for i in batch.ids[entity.keys[0]]], dtype=np.int64)
        tiles = {
            one.name: [reply[i] or b"" for reply in replies]
            for i, one in enumerate(self.layout.shared[entity])
        }
        return Shared(tiles, codes)

    def _seen(self, answers: Sequence[list[Any]], shared: dict[Entity, Shared]) -> Seen:
        pairs = range(_PAIRS, _PAIRS + len(self.layout.pairs))
        nothing: list[Any] = [0, 0, 0, b"", None, None, *(None for _ in pairs)]
        known = [answer if answer[0] < _ANSWERED else nothing for answer in answers]
        return Seen(
            records=[answer[_RECORDS] for answer in known],
            folded=[answer[_FOLDED] or b"" for answer in known],
            pairs={
                entity: [answer[at] or b"" for answer in known]
                for at, entity in zip(pairs, self.layout.pairs, strict=True)
            },
            sequence=np.array([answer[1] for answer in known], dtype=np.int64),
            newest=np.array([answer[2] for answer in known], dtype=np.int64),
            shared=shared,
        )

    def _fold(self, transactions: Sequence[ValidatedTransaction], answers: Sequence[list[Any]]) -> None:
        """Cut customers who have grown too large. Of several claims, the last one knows most."""
        last = {
            t.customer_id: answer
            for t, answer in zip(transactions, answers, strict=True)
            if answer[0] < _ANSWERED
        }
        for customer_id, answer in last.items():
            if cut := surplus(self.layout, answer[_RECORDS]):
                fold(self.client, self.layout, customer_id, answer[_RECORDS], cut)


def _enrichment(answer: list[Any], vector: Floats) -> Enrichment:
    status = _STATUS[answer[0]]
    if answer[0] >= _ANSWERED:
        return Enrichment(status, answer[1], _NO_FEATURES, None)
    return Enrichment(status, answer[1], vector, answer[_DECISION] if status == "redelivery" else None)
