"""Stand-ins for what the API leans on: an online store that claims in memory, and a topic that is a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import Enrichment
from bento.spool.reader import Reader, Ready
from bento.spool.spool import Spool

Identity = tuple[str, str]


class FakeClaiming:
    """Claims that are made at once."""

    def __init__(self, enrichments: list[Enrichment]) -> None:
        self._enrichments = enrichments

    def wait(self) -> None: ...

    def close(self) -> None: ...

    def enrichments(self) -> list[Enrichment]:
        return self._enrichments


class FakeStore:
    """Keeps those promises of `OnlineStore` that the API relies on; its first three fields are switches."""

    def __init__(self) -> None:
        self.available = True
        self.filled = True
        self.keeps_decisions = True
        self.claims: dict[Identity, tuple[str, int]] = {}
        self.decisions: dict[Identity, bytes] = {}

    def ready(self) -> bool:
        self._require()
        return self.filled

    def claim(
        self, transactions: Sequence[ValidatedTransaction], coordinates: Sequence[str | None]
    ) -> FakeClaiming:
        self._require()
        assert list(coordinates) == [None] * len(transactions)
        return FakeClaiming([self._claim(transaction) for transaction in transactions])

    def claim_dry(self, transactions: Sequence[ValidatedTransaction]) -> FakeClaiming:
        self._require()
        claims, enrichments = self.claims, []
        for transaction in transactions:
            self.claims = dict(claims)
            enrichments.append(self._claim(transaction))
        self.claims = claims
        return FakeClaiming(enrichments)

    def features_without_history(self, transaction: ValidatedTransaction) -> Any:
        return _features(transaction, 0)

    def save_decisions(
        self, transactions: Sequence[ValidatedTransaction], decisions: Sequence[bytes]
    ) -> list[bytes]:
        self._require()
        if not self.keeps_decisions:
            raise StoreUnavailable("went away after the claim")
        pairs = zip(transactions, decisions, strict=True)
        return [
            self.decisions.setdefault(_identity(transaction), decision) for transaction, decision in pairs
        ]

    def decision(self, customer_id: str, transaction_id: str) -> bytes | None:
        self._require()
        return self.decisions.get((customer_id, transaction_id))

    def _claim(self, transaction: ValidatedTransaction) -> Enrichment:
        identity = _identity(transaction)
        new = identity not in self.claims
        if new:
            sequence = sum(customer == transaction.customer_id for customer, _ in self.claims)
            self.claims[identity] = transaction.body_hash, sequence
        body_hash, sequence = self.claims[identity]
        status = "new" if new else "redelivery" if body_hash == transaction.body_hash else "conflict"
        return Enrichment(status, sequence, _features(transaction, sequence), self.decisions.get(identity))

    def _require(self) -> None:
        if not self.available:
            raise StoreUnavailable("switched off by the test")


class FakeRawTopic:
    """What a spool hands out; `up` is the test's switch."""

    def __init__(self, spool: Spool) -> None:
        self.up = True
        self._reader = Reader(spool.folder, 0)
        self._ready: list[Ready] = []

    @property
    def messages(self) -> list[Ready]:
        self._ready += self._reader.ready(10_000)
        return [one for one in self._ready if one.outcome.sends]

    @property
    def sent(self) -> list[tuple[str, bytes]]:
        return [(one.came.arrival.key, one.came.arrival.value) for one in self.messages]

    def is_up(self) -> bool:
        return self.up

    def report(self) -> None: ...

    def close(self) -> None: ...


def _identity(transaction: ValidatedTransaction) -> Identity:
    return transaction.customer_id, transaction.transaction_id


def _features(transaction: ValidatedTransaction, sequence: int) -> Any:
    features = np.zeros(len(CATALOG.names))
    features[:2] = transaction.amount_base_minor / 100_000, sequence
    return features
