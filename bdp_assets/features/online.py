"""The online store: claims transactions and computes their features, as served, in one round trip.

Redis keeps integers only (see `layout`); its scripts apply and deduplicate, and the batch kernel runs on what
they return, so that online and batch can not disagree. A transaction sees the customer's events that were
applied before it, among the last `MOST_EVENTS` and no older than the retention (longest window + 7 days)
behind the newest one, and the merchant's tiles as they stand at the call. Claims leave with their events.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bdp_assets.clients.redis import Command, Redis, Script, run
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.aggregates import Floats
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import MOST_EVENTS, SPARE_EVENTS, Layout
from bdp_assets.features.merchants import TILES, label_calls, transaction_calls
from bdp_assets.features.records import Batch, source, transaction_key
from bdp_assets.features.served import Answering, Seen
from bdp_assets.features.spec import Catalog

if TYPE_CHECKING:
    import polars as pl

    from bdp_assets.features.rebuild import RebuildResult

Status = Literal["new", "redelivery", "duplicate", "conflict"]
_STATUS: tuple[Status, ...] = ("new", "redelivery", "duplicate", "conflict")  # as claim.lua numbers them
_ANSWERED = 2  # Statuses below this one come with state.

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


class OnlineStore:
    """The store of one catalog. All but `features_without_history` raise `StoreUnavailable` when Redis is
    away."""

    def __init__(self, client: Redis, catalog: Catalog = CATALOG) -> None:
        """Connects on first use. Raises SpecError for a catalog with windows that only batch can answer."""
        self.client = client
        self.catalog = catalog
        self.engine = Engine(catalog)
        self.layout = Layout(self.engine)
        self._answering = Answering(self.engine, self.layout.events_ms, self.layout.measures)

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
        vectors = self._answering.vectors(Batch.of([transaction]), Seen.nothing([transaction.merchant_id]))
        return vectors.reshape(-1)

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

    def apply_merchants(
        self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str]
    ) -> None:
        """Add transactions to their merchants' tiles: stream only, after `enrich`, no duplicates or
        conflicts.

        A partition's offsets come in order; a merchant adds none that it has passed. Each merchant is
        changed by one script, so that a transaction counts once however often it is delivered.
        """
        run(self.client, transaction_calls(self.layout, transactions, coordinates), [TILES])

    def apply_labels(self, labels: Sequence[Label]) -> None:
        """Add labels to their merchants' tiles, in order of known_at_ms. Raises ValueError without ts_ms."""
        run(self.client, label_calls(self.layout, labels), [TILES])

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
        batch = Batch.of(transactions)
        claims = self._claims(transactions, batch, sources, modes)
        merchants = dict.fromkeys(merchant for merchant in batch.merchants if merchant is not None)
        reads = [("HGET", self.layout.tiles(merchant), "t") for merchant in merchants]
        replies = run(self.client, [*claims, *reads], [CLAIM])
        answers, tiles = replies[: len(claims)], replies[len(claims) :]
        rows = {merchant: row for row, merchant in enumerate(merchants)}
        vectors = self._answering.vectors(batch, _seen(answers, tiles, rows))
        return [_enrichment(answer, vector) for answer, vector in zip(answers, vectors, strict=True)]

    def _claims(
        self,
        transactions: Sequence[ValidatedTransaction],
        batch: Batch,
        sources: Sequence[bytes],
        modes: Sequence[str],
    ) -> list[Command]:
        kept = batch.kept()
        limits = (self.layout.events_ms, MOST_EVENTS + SPARE_EVENTS, self.layout.events_ms // 1000)
        return [
            CLAIM.call(
                (self.layout.events(t.customer_id), self.layout.decision(t.customer_id, t.transaction_id)),
                *(mode, transaction_key(t.transaction_id), struct.pack("<q", t.ts_ms), place),
                *(bytes.fromhex(t.body_hash), kept[i].tobytes(), *limits),
            )
            for i, (t, place, mode) in enumerate(zip(transactions, sources, modes, strict=True))
        ]


def _seen(answers: Sequence[list[Any]], tiles: Sequence[bytes | None], rows: dict[str, int]) -> Seen:
    nothing = (0, 0, 0, b"")
    known = [answer if answer[0] < _ANSWERED else nothing for answer in answers]
    return Seen(
        records=[answer[3] for answer in known],
        sequence=np.array([answer[1] for answer in known], dtype=np.int64),
        newest=np.array([answer[2] for answer in known], dtype=np.int64),
        tiles=[packed or b"" for packed in tiles],
        merchant_row=rows,
    )


def _enrichment(answer: list[Any], vector: Floats) -> Enrichment:
    status = _STATUS[answer[0]]
    if answer[0] >= _ANSWERED:
        return Enrichment(status, answer[1], _NO_FEATURES, None)
    return Enrichment(status, answer[1], vector, answer[4] if status == "redelivery" else None)
