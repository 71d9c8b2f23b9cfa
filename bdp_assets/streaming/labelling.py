"""Labels into the online store: a chargeback counts for its merchant's next transactions at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability.stream_metrics import DEAD_LETTERS, STEP_DURATION
from bdp_assets.streaming import outputs
from bdp_assets.streaming.dlq import dead
from bdp_assets.streaming.isolation import isolate
from bdp_assets.streaming.items import Dead, Labelled, Output

UNKNOWN_TRANSACTION = "unknown_transaction"
_UNKNOWN = (
    "The online store does not know this transaction (any more), and the label does not say when and "
    "where it was. Send it again with ts_ms and merchant_id."
)


class Labelling:
    """Messages of the labels topic in; dead letters out, and the store's tiles changed."""

    def __init__(self, store: OnlineStore, topic_id: Callable[[], str]) -> None:
        """`topic_id()`: the labels topic's id, which with partition and offset names a message for ever."""
        self._store = store
        self._topic_id = topic_id

    def __call__(self, messages: Sequence[Message]) -> list[Output]:
        """Idempotent, in the order given, which within a partition must be that of the topic.

        Raises StoreUnavailable; KafkaUnavailable, KafkaRefused where the topic's id cannot be had.
        """
        if not self._store.ready():
            raise StoreUnavailable("the online store is empty: `bdp features rebuild-online`")
        coordinates = partial(outputs.coordinates, self._topic_id())
        with STEP_DURATION.labels("label").time():
            labelled, unread = isolate("label", read, messages, lambda message: message)
            apply = partial(apply_labels, store=self._store, coordinates=coordinates)
            _, unplaced = isolate("label", apply, labelled, attrgetter("message"))
        refused = [*unread, *unplaced]
        for item in refused:
            DEAD_LETTERS.labels(item.letter.error).inc()
        return list(outputs.dead_records(refused, outputs.headers(coordinates)))


def read(messages: Sequence[Message]) -> tuple[list[Labelled], list[Dead]]:
    """Contract-check label messages; the clock is the message's Kafka timestamp."""
    labelled: list[Labelled] = []
    refused: list[Dead] = []
    for message in messages:
        try:
            label = decode_label(message.value, received_ms=message.timestamp_ms)
        except ContractError as error:
            refused.append(dead(message, "label", error=error.code, text=error.message, field=error.field))
        else:
            labelled.append(Labelled(message, label))
    return labelled, refused


def apply_labels(
    items: Sequence[Labelled], store: OnlineStore, coordinates: Callable[[Message], str]
) -> tuple[list[Labelled], list[Dead]]:
    """Add each label once; one whose transaction nobody knows is refused. Raises StoreUnavailable."""
    known = store.apply_labels([item.label for item in items], [coordinates(item.message) for item in items])
    refused = [
        dead(item.message, "label", error=UNKNOWN_TRANSACTION, text=_UNKNOWN, field="transaction_id")
        for item, is_known in zip(items, known, strict=True)
        if not is_known
    ]
    return [item for item, is_known in zip(items, known, strict=True) if is_known], refused
