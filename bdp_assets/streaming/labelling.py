"""Labels into the online store: a chargeback counts for its merchant's next transactions at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.erasure import NOBODY, CurrentTombstones, Tombstones, names, no_tombstones
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability.stream_metrics import STEP_DURATION, observe_freshness
from bdp_assets.streaming import outputs, telling
from bdp_assets.streaming.dlq import of_an_erased
from bdp_assets.streaming.following import Follow, alone
from bdp_assets.streaming.isolation import isolate
from bdp_assets.streaming.items import Dead, Labelled, Output

UNKNOWN_TRANSACTION = "unknown_transaction"
_UNKNOWN = (
    "The online store does not know this transaction (any more), and the label does not say when and "
    "where it was. Send it again with ts_ms and merchant_id."
)


class Labelling:
    """Messages of the labels topic in; dead letters out, and the store's tiles changed."""

    def __init__(
        self,
        store: OnlineStore,
        topic_id: Callable[[], str],
        follow: Follow = alone,
        tombstones: CurrentTombstones = no_tombstones,
        *,
        pan_key: bytes,
    ) -> None:
        """`topic_id()`: the labels topic's id, which with partition and offset names a message for ever.

        `pan_key` keys the hashes of card numbers in dead letters.
        """
        self._pan_key = pan_key
        self._store = store
        self._topic_id = topic_id
        self._follow = follow
        self._tombstones = tombstones

    def __call__(self, messages: Sequence[Message]) -> list[Output]:
        """Idempotent, in the order given, which within a partition must be that of the topic.

        Raises StoreUnavailable; KafkaUnavailable, KafkaRefused where the topic's id cannot be had.
        """
        if not self._store.ready():
            raise StoreUnavailable("the online store is empty: `bdp features rebuild-online`")
        topic_id = self._topic_id()
        filled = self._follow(topic_id, messages)
        coordinates = partial(outputs.coordinates, topic_id)
        with STEP_DURATION.labels("label").time():
            check = partial(read, tombstones=self._tombstones())
            labelled, unread = isolate("label", check, messages, lambda message: message)
            apply = partial(apply_labels, store=self._store, coordinates=coordinates, filled=filled)
            _, unplaced = isolate("label", apply, labelled, attrgetter("message"))
        refused = [*unread, *unplaced]
        observe_freshness("feature", messages)
        telling.refused(refused, outputs.trace_ids(coordinates))
        return list(outputs.dead_records(refused, outputs.headers(coordinates), self._pan_key))


def read(messages: Sequence[Message], tombstones: Tombstones = NOBODY) -> tuple[list[Labelled], list[Dead]]:
    """Contract-check label messages; the clock is the message's Kafka timestamp.

    What was erased is refused.
    """
    labelled: list[Labelled] = []
    refused: list[Dead] = []
    for message in messages:
        if tombstones and names(message.value, tombstones.cover):
            refused.append(of_an_erased(message, "label"))
            continue
        try:
            label = decode_label(message.value, received_ms=message.timestamp_ms)
        except ContractError as error:
            refused.append(Dead(message, "label", error.code, error.message, error.field))
        else:
            labelled.append(Labelled(message, label))
    return labelled, refused


def apply_labels(
    items: Sequence[Labelled],
    store: OnlineStore,
    coordinates: Callable[[Message], str],
    filled: Mapping[int, int],
) -> tuple[list[Labelled], list[Dead]]:
    """Add each label once; one whose transaction nobody knows is refused.

    `filled`: where a rebuild has been, by partition; labels before that offset are in the store already.
    Raises StoreUnavailable.
    """
    is_new = [item.message.offset >= filled.get(item.message.partition, 0) for item in items]
    new = [item for item, one in zip(items, is_new, strict=True) if one]
    old = [item for item, one in zip(items, is_new, strict=True) if not one]
    applied = iter(store.apply_labels([i.label for i in new], [coordinates(i.message) for i in new]))
    there = iter(store.knows_labels([i.label for i in old]))
    known = [next(applied) if one else next(there) for one in is_new]
    refused = [
        Dead(item.message, "label", UNKNOWN_TRANSACTION, _UNKNOWN, "transaction_id")
        for item, is_known in zip(items, known, strict=True)
        if not is_known
    ]
    return [item for item, is_known in zip(items, known, strict=True) if is_known], refused
