"""The flow of a call: validate, enrich (which claims), decide, keep the decision with its claim, send on.

With history: the claim in the online store makes the transaction count for the customer's next one. The
decision is kept with the claim: the same body gets it again, and the stream publishes it unchanged.

Without history, where the store is down, too slow or not rebuilt yet: the answer says `degraded`. There is no
claim: the same body sent again is decided again, another body under its id is not noticed, and the stream,
when it gets the message, enriches and decides by itself. Its decision is the one of record and may differ.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from bdp_assets.clients.kafka import Header
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.records import Prediction, ValidatedTransaction
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.online import Enrichment, OnlineStore
from bdp_assets.observability.metrics import API_DECISIONS, API_DEGRADED
from bento.dependencies import Dependencies
from bento.errors import ApiError, broken_contract, conflict, no_model, queue_full
from bento.raw_topic import RawTopic

CHUNK = 100

_log = logging.getLogger("bdp.api.predictor")


class Call(Struct, frozen=True):
    """What travels with a call."""

    request_id: str
    traceparent: str
    dry_run: bool = False

    @property
    def headers(self) -> list[Header]:
        """Its marks on the messages that it causes."""
        return [("request-id", self.request_id.encode()), ("traceparent", self.traceparent.encode())]


class Received(Struct, frozen=True):
    """A transaction that kept the contract, the bytes it came in, and when (UTC epoch milliseconds)."""

    transaction: ValidatedTransaction
    value: bytes
    received_ms: int


class Predictor:
    """Decides raw transactions, one or many at once.

    It works on the event loop's own thread: a call is a millisecond of computing and two round trips, and a
    thread pool made that slower (measured with 1, 8 and 64 connections). Batches give way between chunks.
    """

    def __init__(
        self, decider: Decider | None, store: OnlineStore, raw_topic: RawTopic, dependencies: Dependencies
    ) -> None:
        self.decider = decider
        self._store = store
        self._raw_topic = raw_topic
        self._dependencies = dependencies

    async def predict(self, values: Sequence[bytes], call: Call) -> list[Prediction | ApiError]:
        """Decide each value (JSON as it came), in order.

        Raises ApiError 503 where nothing can be decided, before anything is recorded.
        """
        if self.decider is None:
            raise no_model()
        if not call.dry_run and not self._raw_topic.has_room(len(values)):
            raise queue_full()
        outcomes: list[Prediction | ApiError] = []
        for start in range(0, len(values), CHUNK):
            if start:
                await asyncio.sleep(0)
            outcomes += self._predict_chunk(self.decider, values[start : start + CHUNK], call)
        return outcomes

    def _predict_chunk(
        self, decider: Decider, values: Sequence[bytes], call: Call
    ) -> list[Prediction | ApiError]:
        received_ms = time.time_ns() // 1_000_000
        items = [_receive(value, received_ms) for value in values]
        valid = [item for item in items if isinstance(item, Received)]
        outcomes = iter(self._decide(decider, valid, call) if valid else [])
        return [next(outcomes) if isinstance(item, Received) else item for item in items]

    def _decide(
        self, decider: Decider, received: Sequence[Received], call: Call
    ) -> list[Prediction | ApiError]:
        enrichments, degraded = self._enrich([item.transaction for item in received], dry_run=call.dry_run)
        outcomes = [_known(enrichment) for enrichment in enrichments]
        open_ = [i for i, outcome in enumerate(outcomes) if outcome is None]
        if open_:
            made = decider.decide_many(
                [received[i].transaction for i in open_],
                np.array([enrichments[i].features for i in open_]),
                [enrichments[i].apply_seq for i in open_],
                decided_by="api",
                decided_at_ms=received[0].received_ms,
                degraded=degraded,
            )
            if not call.dry_run:
                made = self._record([received[i] for i in open_], made, call)
            for i, prediction in zip(open_, made, strict=True):
                outcomes[i] = prediction
        return [outcome for outcome in outcomes if outcome is not None]

    def _enrich(
        self, transactions: Sequence[ValidatedTransaction], *, dry_run: bool
    ) -> tuple[list[Enrichment], bool]:
        """Features of each transaction, and whether they had to be computed without history."""
        if self._dependencies.store == "ok":
            try:
                if dry_run:
                    return [self._store.enrich_dry(transaction) for transaction in transactions], False
                return self._store.enrich(transactions, [None] * len(transactions)), False
            except StoreUnavailable:
                self._dependencies.store_failed()
        return [self._without_history(transaction) for transaction in transactions], True

    def _without_history(self, transaction: ValidatedTransaction) -> Enrichment:
        features = self._store.features_without_history(transaction)
        return Enrichment(status="new", apply_seq=0, features=features, decision=None)

    def _record(self, received: Sequence[Received], made: list[Prediction], call: Call) -> list[Prediction]:
        """Keep each decision with its claim, send its transaction on, and return the decisions that stand."""
        standing = self._keep(received, made)
        seen: set[tuple[str, str]] = set()
        for item, prediction in zip(received, standing, strict=True):
            identity = prediction.customer_id, prediction.transaction_id
            if identity not in seen:  # what is twice in a batch is sent once
                seen.add(identity)
                self._raw_topic.send(item.transaction, item.value, item.received_ms, call.headers)
                _count(prediction)
        return standing

    def _keep(self, received: Sequence[Received], made: list[Prediction]) -> list[Prediction]:
        """The decisions that stand: these, or what another call of the same moment kept before them."""
        if made[0].degraded:
            return made
        mine = [encode(prediction) for prediction in made]
        try:
            kept = self._store.save_decisions([item.transaction for item in received], mine)
        except StoreUnavailable:
            # The claims hold the features: whoever decides next decides alike, while the model is the same.
            self._dependencies.store_failed()
            _log.warning("decisions not kept: the online store went away after the claim")
            return made
        return [
            new if old == own else decode_prediction(old)
            for old, own, new in zip(kept, mine, made, strict=True)
        ]


def _receive(value: bytes, received_ms: int) -> Received | ApiError:
    try:
        return Received(decode_transaction(value, received_ms=received_ms), value, received_ms)
    except ContractError as error:
        return broken_contract(error)


def _known(enrichment: Enrichment) -> Prediction | ApiError | None:
    """What the claim settles: an earlier decision, or a refusal of another body. None: nothing yet."""
    if enrichment.status == "conflict":
        return conflict()
    return None if enrichment.decision is None else decode_prediction(enrichment.decision)


def _count(prediction: Prediction) -> None:
    API_DECISIONS.labels(prediction.decision.value).inc()
    if prediction.degraded:
        API_DEGRADED.inc()
