"""The online store's promises in memory: claims by source coordinates, merchants once per message, alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import Enrichment
from bdp_assets_tests.fakes.alerts import NaiveAlerts


@dataclass
class Claim:
    coordinates: str | None
    body_hash: str
    apply_seq: int
    decision: bytes | None = None


class FakeStore:
    """`outages` calls of `enrich` fail before it answers again; ids that begin with `poison` crash it."""

    def __init__(self, outages: int = 0) -> None:
        self.claims: dict[tuple[str, str], Claim] = {}
        self.merchants: Counter[str | None] = Counter()
        self.alerts = NaiveAlerts()
        self.outages = outages
        self.is_ready = True
        self._seqs: Counter[str] = Counter()
        self._applied: set[str | None] = set()

    def ready(self) -> bool:
        return self.is_ready

    def enrich(
        self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str | None]
    ) -> list[Enrichment]:
        if self.outages:
            self.outages -= 1
            raise StoreUnavailable("the store is down")
        return [self._claim(tx, place) for tx, place in zip(transactions, coordinates, strict=True)]

    def apply_shared(
        self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str | None]
    ) -> None:
        for transaction, place in zip(transactions, coordinates, strict=True):
            if place not in self._applied:
                self._applied.add(place)
                self.merchants[transaction.merchant_id] += 1

    def save_decisions(
        self, transactions: Sequence[ValidatedTransaction], decisions: Sequence[bytes]
    ) -> list[bytes]:
        standing = []
        for transaction, decision in zip(transactions, decisions, strict=True):
            claim = self.claims[transaction.customer_id, transaction.transaction_id]
            claim.decision = claim.decision or decision
            standing.append(claim.decision)
        return standing

    @property
    def claimed(self) -> dict[tuple[str, str], tuple[str | None, str, int]]:
        """The claims; not the decisions that a redelivery leaves with them."""
        return {key: (c.coordinates, c.body_hash, c.apply_seq) for key, c in self.claims.items()}

    def claimed_by_api(self, transaction: ValidatedTransaction) -> None:
        self._claim(transaction, None)

    def decided_by_api(self, transaction: ValidatedTransaction, decision: bytes) -> None:
        self._claim(transaction, None)
        self.claims[transaction.customer_id, transaction.transaction_id].decision = decision

    def _claim(self, transaction: ValidatedTransaction, place: str | None) -> Enrichment:
        if transaction.transaction_id.startswith("poison"):
            raise ZeroDivisionError("4111 1111 1111 1111")
        key = (transaction.customer_id, transaction.transaction_id)
        claim = self.claims.get(key)
        if claim is None:
            self._seqs[transaction.customer_id] += 1
            self.claims[key] = claim = Claim(
                place, transaction.body_hash, self._seqs[transaction.customer_id]
            )
            return _enrichment("new", claim)
        if claim.coordinates is None:
            claim.coordinates = place
        if claim.coordinates == place:
            return _enrichment("redelivery", claim)
        return _enrichment("duplicate" if claim.body_hash == transaction.body_hash else "conflict", claim)


def _enrichment(status: str, claim: Claim) -> Enrichment:
    features = np.zeros(len(CATALOG.names))
    features[0] = claim.apply_seq
    return Enrichment(status, claim.apply_seq, features, claim.decision)  # type: ignore[arg-type]
