"""The flow of a call: write ahead, validate, enrich (which claims), decide, keep the decision, write it down.

What came is in the spool before it is claimed, and what became of it before it is answered: whatever dies in
between, the stream gets every transaction that may have left a trace, with its decision where there is one,
and publishes that unchanged.

With history: the claim in the online store makes the transaction count for the customer's next one. The
decision is kept with the claim: the same body gets it again.

Without history, where the store is down, too slow or not rebuilt yet: the answer says `degraded`. There is no
claim: the same body sent again before the store is back is decided again, and another body under its id is
not noticed. The first decision that reaches the stream stands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from typing import NamedTuple

import numpy as np
from prometheus_client import Counter

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.erasure import CurrentTombstones, no_tombstones
from bdp_assets.contracts.records import Prediction, ValidatedTransaction
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.lists import CurrentLists, no_lists
from bdp_assets.features.online import Enrichment, OnlineStore
from bdp_assets.features.vectors import named_vector
from bdp_assets.observability import tracing
from bdp_assets.observability.metrics import API_DECIDED, API_DECISIONS, API_DEGRADED, API_DEPENDENCY_UP
from bdp_assets.observability.traced_batch import step
from bento.calls import Asked, Call, Received, name_in_traces, receive, sampled_calls
from bento.dependencies import Dependencies
from bento.entry import Entry
from bento.errors import ApiError, conflict, no_model, queue_full
from bento.gathering import Gathered
from bento.parts import Parts, Work, overlapping
from bento.spool.spool import Spool

CHUNK = 100

_log = logging.getLogger("bdp.api.predictor")


class Made(NamedTuple):
    """A decision, and its record as it travels."""

    prediction: Prediction
    value: bytes

    @classmethod
    def of(cls, prediction: Prediction) -> Made:
        return cls(prediction, encode(prediction))


class Predictor:
    """Decides raw transactions, one or many at once; those that come alone in one moment together.

    It works on the event loop's own thread: a call is a millisecond of computing and two round trips, and a
    thread pool made that slower (measured with 1, 8 and 64 connections). Batches give way between chunks, and
    claim the next one while one is decided.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of
        self,
        decider: Decider | None,
        store: OnlineStore,
        spool: Spool,
        dependencies: Dependencies,
        lists: CurrentLists = no_lists,
        tombstones: CurrentTombstones = no_tombstones,
    ) -> None:
        self.decider = decider
        """What the next call is decided with; None: there is no model yet."""
        self._store = store
        self._spool = spool
        self._dependencies = dependencies
        self._lists = lists
        self._tombstones = tombstones
        self._together = Gathered(self._predict_together, CHUNK)

    def take(self, decider: Decider) -> None:
        """Decide with it from the next call on; a call that is under way ends with what it began with."""
        self.decider = decider
        API_DEPENDENCY_UP.labels("model").set(1)

    async def predict_one(self, value: bytes, call: Call) -> Prediction | ApiError:
        """Decide one value (JSON as it came), with what else comes in its moment. Raises as `predict`."""
        if call.dry_run:
            return (await self.predict([value], call))[0]
        return await self.ask(value, call)

    def ask(self, value: bytes, call: Call) -> asyncio.Future[Prediction | ApiError]:
        """What `predict_one` comes to, for who does not wait for it. No dry run."""
        return self._together.put(Asked(value, call))

    async def predict(self, values: Sequence[bytes], call: Call) -> list[Prediction | ApiError]:
        """Decide each value (JSON as it came), in order.

        Decisions that are made now hold their features as `named_vector` gives them: to be encoded alone.
        Raises ApiError 503 where nothing can be decided, before anything is recorded; and where the disk is
        full: what was claimed by then reaches the stream, and the same call again gets its answer.
        """
        asked = [Asked(value, call) for value in values]
        decider = self._checked(asked, call.dry_run)  # Once: a batch gives way between its chunks.
        chunks = (asked[start : start + CHUNK] for start in range(0, len(asked), CHUNK))
        return await overlapping(self._predict_chunk(decider, chunk, call.dry_run) for chunk in chunks)

    def _predict_together(self, asked: Sequence[Asked]) -> list[Prediction | ApiError]:
        return Parts(self._predict_chunk(self._checked(asked), asked)).result()

    def _checked(self, asked: Sequence[Asked], dry_run: bool = False) -> Decider:
        """What decides them. Raises ApiError 503: nothing does, or there is no room to write them down."""
        if self.decider is None:
            raise no_model()
        if not dry_run and not self._spool.has_room([one.value for one in asked]):
            raise queue_full()
        return self.decider

    def _predict_chunk(
        self, decider: Decider, asked: Sequence[Asked], dry_run: bool = False
    ) -> Work[list[Prediction | ApiError]]:
        """Gives way as soon as the store is asked, and again when it has answered."""
        with tracing.batch(lambda: sampled_calls(asked)):
            received_ms = time.time_ns() // 1_000_000
            tombstones = self._tombstones()
            with step("validate"):
                items = [receive(one, received_ms, tombstones) for one in asked]
            valid = [item for item in items if isinstance(item, Received)]
            name_in_traces(valid)
            outcomes = iter((yield from self._decided(decider, valid, dry_run)) if valid else ())
        return [next(outcomes) if isinstance(item, Received) else item for item in items]

    def _decided(
        self, decider: Decider, received: Sequence[Received], dry_run: bool
    ) -> Work[list[Prediction | ApiError]]:
        """Decisions and refusals; written down before and after, but for a dry run."""
        if dry_run:
            return (yield from self._decide(decider, received, dry_run))[0]
        with step("spool arrival"):
            entry = Entry(self._spool, [item.arrival for item in received])
        with entry:
            outcomes, fresh = yield from self._decide(decider, received, dry_run)
            with step("spool outcome"):
                entry.settle({i: made.value for i, made in fresh.items()})
        _count([made.prediction for made in fresh.values()])
        return outcomes

    def _decide(
        self, decider: Decider, received: Sequence[Received], dry_run: bool
    ) -> Work[tuple[list[Prediction | ApiError], dict[int, Made]]]:
        """Outcomes, in order; and by their places those that nobody has sent on before."""
        with step("claim"):
            transactions = [item.transaction for item in received]
            enrichments, degraded = yield from self._enriched(transactions, dry_run)
        outcomes = [_known(enrichment) for enrichment in enrichments]
        open_ = [i for i, outcome in enumerate(outcomes) if outcome is None]
        made: list[Made] = []
        if open_:
            with step("decide"):
                decided = decider.decide_many(
                    [received[i].transaction for i in open_],
                    np.array([enrichments[i].features for i in open_]),
                    [enrichments[i].apply_seq for i in open_],
                    decided_by="api",
                    decided_at_ms=received[0].received_ms,
                    degraded=degraded,
                    lists=self._lists(),
                    named=named_vector,
                )
                made = [Made.of(prediction) for prediction in decided]
            if not dry_run and not degraded:
                with step("keep"):
                    made = self._keep([received[i] for i in open_], made)
        for i, one in zip(open_, made, strict=True):
            outcomes[i] = one.prediction
        # What was claimed before was written down before: by whom it was claimed.
        new = {i: one for i, one in zip(open_, made, strict=True) if enrichments[i].status == "new"}
        return [outcome for outcome in outcomes if outcome is not None], _once(new)

    def _enriched(
        self, transactions: Sequence[ValidatedTransaction], dry_run: bool
    ) -> Work[tuple[list[Enrichment], bool]]:
        """Features of each transaction, and whether they had to be computed without history."""
        if self._dependencies.store == "ok":
            try:
                if dry_run:
                    asked = self._store.claim_dry(transactions)
                else:
                    asked = self._store.claim(transactions, [None] * len(transactions))
                with closing(asked) as claiming:
                    yield
                    claiming.wait()
                    yield
                    return claiming.enrichments(), False
            except StoreUnavailable:
                self._dependencies.store_failed()
        return [self._without_history(transaction) for transaction in transactions], True

    def _without_history(self, transaction: ValidatedTransaction) -> Enrichment:
        features = self._store.features_without_history(transaction)
        return Enrichment(status="new", apply_seq=0, features=features, decision=None)

    def _keep(self, received: Sequence[Received], made: list[Made]) -> list[Made]:
        """The decisions that stand: these, or what another call of the same moment kept before them."""
        mine = [one.value for one in made]
        try:
            kept = self._store.save_decisions([item.transaction for item in received], mine)
        except StoreUnavailable:
            # They are in the spool: the stream keeps them with their claims.
            self._dependencies.store_failed()
            _log.warning(
                "decisions not kept: the online store went away after the claim",
                extra={
                    "trace_ids": list(dict.fromkeys(item.asked.call.trace_id for item in received)),
                    "transaction_ids": [one.prediction.transaction_id for one in made],
                },
            )
            return made
        return [
            new if old == new.value else Made(decode_prediction(old), old)
            for old, new in zip(kept, made, strict=True)
        ]


def _once(decided: Mapping[int, Made]) -> dict[int, Made]:
    """What is twice in a batch is sent once."""
    first: dict[tuple[str, str], int] = {}
    for i, (one, _) in decided.items():
        first.setdefault((one.customer_id, one.transaction_id), i)
    return {i: decided[i] for i in first.values()}


def _known(enrichment: Enrichment) -> Prediction | ApiError | None:
    """What the claim settles: an earlier decision, or a refusal of another body. None: nothing yet."""
    if enrichment.status == "conflict":
        return conflict()
    return None if enrichment.decision is None else decode_prediction(enrichment.decision)


def _count(predictions: Sequence[Prediction]) -> None:
    amounts: dict[str, list[int]] = {}
    for prediction in predictions:
        amounts.setdefault(prediction.decision, []).append(prediction.amount_base_minor)
        if prediction.degraded:
            API_DEGRADED.inc()
    for decision, minor in amounts.items():
        decisions, decided = _counters(decision)
        decisions.inc(len(minor))
        decided.inc(sum(minor))


@cache  # Looking them up takes as long as counting.
def _counters(decision: str) -> tuple[Counter, Counter]:
    return API_DECISIONS.labels(decision), API_DECIDED.labels(decision)
