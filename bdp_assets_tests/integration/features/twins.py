"""The online store and its oracle, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.online import Enrichment, OnlineStore
from bdp_assets.features.spec import EXACT_EVENTS, Catalog
from bdp_assets_tests.unit.features.naive_store import Answer, NaiveStore
from bdp_assets_tests.unit.features.strategies import START

Delivery = tuple[ValidatedTransaction, str | None]


class Twins:
    """Both are told the same and must answer the same: status, apply sequence, every bit of the features."""

    def __init__(self, client: Redis, catalog: Catalog, exact_events: int = EXACT_EVENTS) -> None:
        client.flushdb()
        self.store = OnlineStore(client, catalog)
        self.oracle = NaiveStore(catalog, exact_events)
        self.known_at = START
        self.labels = 0
        self.applied: list[ValidatedTransaction] = []

    def deliver(self, batch: Sequence[Delivery]) -> list[Enrichment]:
        """A micro-batch, as the stream worker (or, without coordinates, the API) does it."""
        answers = self.store.enrich([t for t, _ in batch], [place for _, place in batch])
        expected = [self.oracle.enrich(t, place) for t, place in batch]
        assert [given(answer) for answer in answers] == [wanted(answer) for answer in expected]
        self.apply([d for d, a in zip(batch, answers, strict=True) if a.status in ("new", "redelivery")])
        return answers

    def apply(self, batch: Sequence[Delivery]) -> None:
        streamed = [(t, place) for t, place in batch if place is not None]
        self.store.apply_shared([t for t, _ in streamed], [place for _, place in streamed])
        for t, place in streamed:
            self.oracle.apply_shared(t, place)
            self.applied.append(t)

    def label(self, of: ValidatedTransaction, is_fraud: bool, delay: int) -> Label:
        """Labels arrive in the order in which they became known."""
        self.known_at = max(self.known_at, of.ts_ms + delay)
        label = Label(
            transaction_id=of.transaction_id,
            customer_id=of.customer_id,
            is_fraud=is_fraud,
            known_at_ms=self.known_at,
            merchant_id=of.merchant_id,
            ts_ms=of.ts_ms,
        )
        self.labels += 1
        places = [f"labels:{self.labels % 2}:{self.labels}"]
        for _ in range(2):  # Delivered again, it changes nothing.
            assert self.store.apply_labels([label], places) == [True]
        self.oracle.apply_label(label)
        return label


def given(answer: Enrichment) -> tuple[str, int, bytes]:
    return answer.status, answer.apply_seq, answer.features.tobytes()


def wanted(answer: Answer) -> tuple[str, int, bytes]:
    return answer.status, answer.apply_seq, np.array(answer.features or [], dtype=np.float64).tobytes()
