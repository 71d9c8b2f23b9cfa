"""Validate, enrich and score as one process on a micro-batch of raw messages, with no topic in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.erasure import CurrentTombstones, no_tombstones
from bdp_assets.decisions.alerts import Grow
from bdp_assets.decisions.carried import carried
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.lists import CurrentLists, no_lists
from bdp_assets.features.online import OnlineStore
from bdp_assets.observability.stream_metrics import STEP_DURATION, observe_freshness
from bdp_assets.observability.traced_batch import step
from bdp_assets.streaming import outputs, telling, traced
from bdp_assets.streaming.following import Follow, alone
from bdp_assets.streaming.isolation import isolate
from bdp_assets.streaming.items import Output
from bdp_assets.streaming.steps import enrich, score, validate

_message = attrgetter("message")


class Scoring:
    """Raw messages in; records for validated, enriched, predictions, alerts and dead letters out."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of
        self,
        store: OnlineStore,
        decider: Decider,
        topic_id: Callable[[], str],
        follow: Follow = alone,
        lists: CurrentLists = no_lists,
        tombstones: CurrentTombstones = no_tombstones,
        *,
        alerts: Grow,
        pan_key: bytes,
    ) -> None:
        """`topic_id()`: the raw topic's id, which with partition and offset names a message for ever.

        `alerts` keeps alerts. `pan_key` keys the hashes of card numbers in dead letters, and proves decisions
        that come with their messages.
        """
        self._follow = follow
        self._lists = lists
        self._tombstones = tombstones
        self._topic_id = topic_id
        self._store = store
        self._decider = decider
        self._alerts = alerts
        self._key = pan_key

    def take(self, decider: Decider) -> None:
        """Decide with it from the next micro-batch on; one that is under way ends with what it began with."""
        self._decider = decider

    def __call__(self, messages: Sequence[Message]) -> list[Output]:
        """Idempotent: the same messages give the same records, and leave the same state.

        Raises StoreUnavailable; KafkaUnavailable, KafkaRefused where the topic's id cannot be had.
        """
        if not self._store.ready():
            # Without history everybody would look like a new customer, and nobody would notice.
            raise StoreUnavailable("the online store is empty: `bdp features rebuild-online`")
        topic_id = self._topic_id()
        self._follow(topic_id, messages)
        coordinates = partial(outputs.coordinates, topic_id)
        with STEP_DURATION.labels("validate").time(), step("validate"):
            check = partial(validate, tombstones=self._tombstones())
            validated, unclean = isolate("validate", check, messages, lambda message: message)
        traced.name(validated)
        with STEP_DURATION.labels("enrich").time(), step("enrich"):
            claim = partial(enrich, store=self._store, coordinates=coordinates)
            enriched, unenriched = isolate("enrich", claim, validated, _message)
        observe_freshness("feature", messages)
        with STEP_DURATION.labels("score").time(), step("score"):
            known, keep = partial(carried, key=self._key), self._store.save_decisions
            # Asked once: a micro-batch never sees half a change.
            decide = partial(
                score,
                decider=self._decider,
                alerts=self._alerts,
                known=known,
                keep=keep,
                lists=self._lists(),
            )
            decided, unscored = isolate("score", decide, enriched, _message)
        refused = [*unclean, *unenriched, *unscored]
        trace = outputs.trace_ids(coordinates)
        telling.refused(refused, trace)
        telling.alerted(decided, trace)
        with STEP_DURATION.labels("encode").time(), step("encode"):
            headers = outputs.headers(coordinates)
            return [
                *outputs.validated_records(validated, headers),
                *outputs.enriched_records(enriched, headers),
                *outputs.decided_records(decided, headers),
                *outputs.dead_records(refused, headers, self._key),
            ]
