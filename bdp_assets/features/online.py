"""The online store: claims transactions and computes their features, as served, in one round trip.

Redis keeps integers only (see `layout`); its scripts apply and deduplicate, and the batch kernel runs on what
they return, so that online and batch can not disagree. A transaction sees the customer's events that were
applied before it, within the retention (longest window + 7 days) behind the newest one, and the tiles of its
merchant as they stand at the call. Claims leave with their events.

A store works on the generation that it found serving (`bind`), and looks with every batch of claims whether
that has changed (see `generations`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from bdp_assets.clients.redis import Redis, run
from bdp_assets.clients.redis_dialogue import UnderWay
from bdp_assets.clients.redis_exchange import Command
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features import claiming, compiled
from bdp_assets.features.aggregates import Floats
from bdp_assets.features.asking import Answered, Asking
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.claiming import ANSWERED, Call, Claimed
from bdp_assets.features.folding import LATER, Cut, fold, surplus
from bdp_assets.features.kernel import Engine
from bdp_assets.features.label_places import place_labels
from bdp_assets.features.labelling import apply_labels
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Batch, source, transaction_key
from bdp_assets.features.served import Answering, nothing_seen
from bdp_assets.features.shared import add_transactions
from bdp_assets.features.spec import EXACT_EVENTS, Catalog

if TYPE_CHECKING:
    import polars as pl

    from bdp_assets.features.rebuild import RebuildResult

Status = Literal["new", "redelivery", "duplicate", "conflict"]
_STATUS: tuple[Status, ...] = ("new", "redelivery", "duplicate", "conflict")  # as claim.lua numbers them

_NO_FEATURES: Floats = np.zeros(0, dtype=np.float64)


class Enrichment(NamedTuple):
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


class Claiming:
    """Claims on their way to the store; who makes them has other work meanwhile.

    To be asked for `enrichments`, or closed. All raise what `OnlineStore.enrich` does.
    """

    def __init__(
        self, under_way: UnderWay[Answered], enriched: Callable[[Answered], list[Enrichment]]
    ) -> None:
        self._under_way = under_way
        self._enriched = enriched

    def wait(self) -> None:
        """Until they are made: what is claimed from then on comes after them."""
        self._under_way.result()

    def enrichments(self) -> list[Enrichment]:
        """Of each transaction, in order. To be asked once."""
        return self._enriched(self._under_way.result())

    def close(self) -> None:
        """Nobody asks: the claims may be made, or not."""
        self._under_way.close()


class OnlineStore:
    """The store of one catalog. All but `features_without_history` raise `StoreUnavailable` when Redis is
    away."""

    def __init__(self, client: Redis, catalog: Catalog = CATALOG) -> None:
        """Connects on first use. Raises SpecError for a catalog with windows that only batch can answer."""
        self.client = client
        self.catalog = catalog
        self.engine = Engine(catalog)
        self._first = Layout.first(catalog)
        self._asking = Asking(client, self._first)
        self._answering = Answering(self.engine, self._first)

    @property
    def layout(self) -> Layout:
        """Keys of the generation that this store works on."""
        return self._asking.layout

    def warm(self) -> None:
        """Load what `enrich` computes with, so that the first call need not wait for it."""
        compiled.load()

    def bind(self) -> bool:
        """Work on the generation that serves now; False where none does."""
        return self._asking.bind()

    def enrich(
        self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str | None]
    ) -> list[Enrichment]:
        """Claim each transaction and compute its features; they are applied in the order given.

        `coordinates`: `topic id:partition:offset` of each message, None for a call of the API. Raises
        StoreMoved for messages when another generation serves now: what was applied to shared entities before
        them has to be there first. A call of the API goes there by itself.
        """
        return self.claim(transactions, coordinates).enrichments()

    def claim(
        self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str | None]
    ) -> Claiming:
        """What `enrich` does, by steps."""
        modes = ["api" if place is None else "stream" for place in coordinates]
        return self._claim(transactions, [source(place) for place in coordinates], modes)

    def enrich_dry(self, transaction: ValidatedTransaction) -> Enrichment:
        """What `enrich` would answer an API call now; nothing is claimed or applied."""
        return self.claim_dry([transaction]).enrichments()[0]

    def claim_dry(self, transactions: Sequence[ValidatedTransaction]) -> Claiming:
        """The same of several at once, each as if it came alone, by steps."""
        count = len(transactions)
        return self._claim(transactions, [source(None)] * count, ["dry"] * count)

    def features_without_history(self, transaction: ValidatedTransaction) -> Floats:
        """The features as if nothing had happened before: for when the store is away or empty. Calls
        nobody."""
        batch = Batch.of([transaction], self.catalog.ids)
        return self._answering.vectors(batch, nothing_seen(batch, self._first)).reshape(-1)

    def save_decision(self, transaction: ValidatedTransaction, decision: bytes) -> bytes:
        """Keep a decision with its claim. The first one stands, and is returned."""
        return self.save_decisions([transaction], [decision])[0]

    def save_decisions(
        self, transactions: Sequence[ValidatedTransaction], decisions: Sequence[bytes]
    ) -> list[bytes]:
        """The same for several, in one round trip."""
        keys = [self._first.decision(t.customer_id, transaction_key(t.transaction_id)) for t in transactions]
        seconds = self._first.events_ms // 1000
        commands: list[Command] = [
            ("SET", key, decision, "NX", "GET", "EX", seconds)  # Answers what was there before, if anything.
            for key, decision in zip(keys, decisions, strict=True)
        ]
        earlier: list[bytes | None] = run(self.client, commands)
        return [own if old is None else old for old, own in zip(earlier, decisions, strict=True)]

    def decision(self, customer_id: str, transaction_id: str) -> bytes | None:
        """The decision that was saved for a transaction, None without one."""
        reply: bytes | None
        key = self._first.decision(customer_id, transaction_key(transaction_id))
        [reply] = run(self.client, [("GET", key)])
        return reply

    def apply_shared(self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str]) -> None:
        """Add transactions to the tiles of their merchants and other shared entities: stream only, after
        `enrich`, no duplicates or conflicts.

        A partition's offsets come in order; an entity adds none that it has passed. Each one is changed by
        one script, so that a transaction counts once however often it is delivered.
        """
        add_transactions(self.client, self.layout, transactions, coordinates)

    def apply_labels(
        self, labels: Sequence[Label], coordinates: Sequence[str | None] | None = None
    ) -> list[bool]:
        """Add labels to their merchants' tiles, those of a transaction in order of known_at_ms.

        Returns whether each one's transaction is known: by the store, or else by the label's own time and
        merchant. Others change nothing. `coordinates` as for `enrich`: each message counts once.
        """
        return apply_labels(self.client, self.layout, labels, coordinates or [None] * len(labels))

    def knows_labels(self, labels: Sequence[Label]) -> list[bool]:
        """What `apply_labels` would return; nothing is applied."""
        return [one is not None for one in place_labels(self.client, self.layout, labels)]

    def rebuild(self, transactions: pl.DataFrame, labels: pl.DataFrame) -> RebuildResult:
        """Replace this catalog's whole state by what tables say; see `rebuild.rebuild`."""
        from bdp_assets.features.rebuild import rebuild

        return rebuild(self, transactions, labels)

    def ready(self) -> bool:
        """Whether a rebuild has filled the store for this catalog: without it, it knows nobody's history."""
        return self.bind()

    def _claim(
        self, transactions: Sequence[ValidatedTransaction], sources: Sequence[bytes], modes: Sequence[str]
    ) -> Claiming:
        call = Call(transactions, Batch.of(transactions, self.catalog.ids), sources, modes)
        under_way = UnderWay(self.client, self._asking.claims(call))
        return Claiming(under_way, partial(self._enriched, call))

    def _enriched(self, call: Call, answered: Answered) -> list[Enrichment]:
        layout, told, shared = answered
        vectors = self._answering.vectors(call.batch, claiming.seen(layout, told, shared))
        if "dry" not in call.modes:
            self._fold(layout, call.transactions, told, 1 if "stream" in call.modes else LATER)
        return [_enrichment(one, vector) for one, vector in zip(told, vectors, strict=True)]

    def _fold(
        self,
        layout: Layout,
        transactions: Sequence[ValidatedTransaction],
        told: Sequence[Claimed],
        blocks: int,
    ) -> None:
        """Cut customers who have grown too large. Of several claims, the last one knows most."""
        last = {t.customer_id: o for t, o in zip(transactions, told, strict=True) if o.status < ANSWERED}
        cuts = [
            Cut(customer_id, count, one.events, one.folded)
            for customer_id, one in last.items()
            if (count := surplus(layout, one.events, blocks))
        ]
        fold(self.client, layout, cuts)


def _enrichment(told: Claimed, vector: Floats) -> Enrichment:
    status = _STATUS[told.status]
    if told.status >= ANSWERED:
        return Enrichment(status, told.sequence, _NO_FEATURES, None)
    return Enrichment(status, told.sequence, vector, told.decision if status == "redelivery" else None)
