"""The steps of scoring, each a function of a micro-batch: validate, enrich, score.

Each returns what goes on and what is refused, both in the batch's order. The online store is the only state,
and idempotent by source coordinates and ids: a batch that is redone, whole or in parts, gives the same bytes
again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.erasure import NOBODY, Tombstones, names
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.records import Prediction, ValidatedTransaction
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.decisions.alerts import Grow
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.lists import Lists
from bdp_assets.decisions.record import prediction
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.vectors import encode_vector
from bdp_assets.streaming.dlq import of_an_erased
from bdp_assets.streaming.items import Dead, Decided, Enriched, Validated

Keep = Callable[[Sequence[ValidatedTransaction], Sequence[bytes]], Sequence[bytes]]
"""Keeps decisions with their claims; returns those that stand, as `OnlineStore.save_decisions`."""
REFUSED = {
    "duplicate": "The customer's transaction_id came before, with the same body. Nothing to do.",
    "conflict": "The customer's transaction_id came before, with another body. Send it under its own id.",
}


def validate(
    messages: Sequence[Message], tombstones: Tombstones = NOBODY
) -> tuple[list[Validated], list[Dead]]:
    """Contract-check raw messages; the clock is the message's Kafka timestamp: a replay decides the same.

    What was erased is refused, whatever else is wrong with it.
    """
    validated: list[Validated] = []
    refused: list[Dead] = []
    for message in messages:
        try:
            transaction = decode_transaction(message.value, received_ms=message.timestamp_ms)
        except ContractError as error:
            if tombstones and names(message.value, tombstones.cover):
                refused.append(of_an_erased(message, "validate"))
            else:
                refused.append(Dead(message, "validate", error.code, error.message, error.field))
        else:
            if tombstones.cover(transaction.customer_id, transaction.ts_ms):
                refused.append(of_an_erased(message, "validate"))
                continue
            validated.append(Validated(message, transaction, encode(transaction)))
    return validated, refused


def enrich(
    items: Sequence[Validated], store: OnlineStore, coordinates: Callable[[Message], str]
) -> tuple[list[Enriched], list[Dead]]:
    """Claim each transaction for its source coordinates and add the features it saw.

    A redelivery is answered as the first time; another message with a taken transaction_id is refused.
    Raises StoreUnavailable.
    """
    enrichments = store.enrich(
        [item.transaction for item in items], [coordinates(item.message) for item in items]
    )
    enriched: list[Enriched] = []
    refused: list[Dead] = []
    for item, enrichment in zip(items, enrichments, strict=True):
        if enrichment.status in REFUSED:
            status = enrichment.status
            refused.append(Dead(item.message, "enrich", status, REFUSED[status], "transaction_id"))
        else:
            features = encode_vector(enrichment.features.tolist())
            enriched.append(Enriched(*item, enrichment, features))
    # After the claim: a merchant must not count a duplicate. Redone after a crash, it finds itself done.
    store.apply_shared([e.transaction for e in enriched], [coordinates(e.message) for e in enriched])
    return enriched, refused


def score(  # noqa: PLR0913, PLR0917 - all that a decision takes
    items: Sequence[Enriched],
    decider: Decider,
    alerts: Grow,
    known: Callable[[Message], bytes | None],
    keep: Keep,
    lists: Lists,
) -> tuple[list[Decided], list[Dead]]:
    """Decide each transaction, and add it to its customer's alert where it is not approved.

    One that the API decided keeps that decision, byte for byte: the one with its claim, else the one that is
    `known` of its message. A decision about a claim that the API may ask for again is kept with it. Raises
    StoreUnavailable.
    """
    decisions = [item.enrichment.decision or known(item.message) for item in items]
    fresh = iter(_decide([i for i, d in zip(items, decisions, strict=True) if d is None], decider, lists))
    records = [next(fresh) if decision is None else decode_prediction(decision) for decision in decisions]
    encoded = [d or encode(record) for d, record in zip(decisions, records, strict=True)]
    open_ = [i for i, item in enumerate(items) if _is_open(item, decisions[i])]
    if open_:
        kept = keep([items[i].transaction for i in open_], [encoded[i] for i in open_])
        for i, decision in zip(open_, kept, strict=True):
            records[i], encoded[i] = decode_prediction(decision), decision
    # When all are decided: what crashed must not count in an alert.
    grown = alerts(records)
    return [
        Decided(item.message, record.customer_id, decision, alert)
        for item, record, decision, alert in zip(items, records, encoded, grown, strict=True)
    ], []


def _is_open(item: Enriched, decision: bytes | None) -> bool:
    """Whether the API knows the transaction, but no decision is with its claim."""
    adopted = item.enrichment.status == "redelivery"
    return item.enrichment.decision is None and (adopted or decision is not None)


def _decide(items: Sequence[Enriched], decider: Decider, lists: Lists) -> list[Prediction]:
    if not items:
        return []
    transactions = [item.transaction for item in items]
    listed = lists.hits(transactions, [item.message.timestamp_ms for item in items])
    verdicts = decider.verdicts(transactions, np.stack([item.enrichment.features for item in items]), listed)
    circumstances = decider.circumstances("stream")
    # The message's own time, not the wall clock: a redelivery gives the same bytes.
    return [
        prediction(
            item.transaction,
            item.enrichment.apply_seq,
            item.features,
            verdict,
            circumstances,
            decided_at_ms=item.message.timestamp_ms,
        )
        for item, verdict in zip(items, verdicts, strict=True)
    ]
