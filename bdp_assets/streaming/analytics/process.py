"""Windowed analytics as a process on micro-batches of the validated topic and the labels topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import polars as pl

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.postgres import Warehouse
from bdp_assets.contracts.codec import encode, schema_version_header
from bdp_assets.contracts.erasure import CurrentTombstones, Tombstones, no_tombstones
from bdp_assets.contracts.records import WindowAggregate
from bdp_assets.contracts.topics import ANALYTICS, VALIDATED
from bdp_assets.observability.stream_metrics import LATE, STEP_DURATION, WINDOWS_CHANGED
from bdp_assets.streaming import outputs, telling
from bdp_assets.streaming.analytics import reading
from bdp_assets.streaming.analytics.counting import count
from bdp_assets.streaming.isolation import isolate
from bdp_assets.streaming.items import Output, Validated

_HEADERS = (schema_version_header(ANALYTICS),)


class Analytics:
    """Messages in; new totals of their groups and dead letters out, and the warehouse's figures changed."""

    def __init__(
        self,
        warehouse: Warehouse,
        topic_id: Callable[[], str],
        tombstones: CurrentTombstones = no_tombstones,
        *,
        pan_key: bytes,
    ) -> None:
        """`topic_id()`: the validated topic's id, which with partition and offset names a message for ever.

        `pan_key` keys the hashes of card numbers in dead letters.
        """
        self._warehouse = warehouse
        self._topic_id = topic_id
        self._tombstones = tombstones
        self._pan_key = pan_key

    def __call__(self, messages: Sequence[Message]) -> list[Output]:
        """Idempotent: messages that were counted change nothing, and their groups' totals come again.

        Raises WarehouseUnavailable; KafkaUnavailable, KafkaRefused where the topic's id cannot be had.
        """
        topic_id = self._topic_id()
        coordinates = partial(outputs.coordinates, topic_id)
        with STEP_DURATION.labels("read").time():
            told = [message for message in messages if message.topic != VALIDATED.name]
            paid = [message for message in messages if message.topic == VALIDATED.name]
            transactions, refused = isolate(reading.STEP, reading.read_transactions, paid, lambda m: m)
            labels, _ = isolate(reading.STEP, reading.read_labels, told, lambda m: m)
            events = reading.events(_unerased(transactions, self._tombstones()), coordinates)
        with STEP_DURATION.labels("count").time(), self._warehouse.transaction() as connection:
            counted = count(connection, topic_id, events, reading.latest_labels(labels))
        _observe(counted.totals, counted.late)
        telling.refused(refused, outputs.trace_ids(coordinates))
        return [
            *records(counted.totals),
            *outputs.dead_records(refused, outputs.headers(coordinates), self._pan_key),
        ]


def _unerased(transactions: Sequence[Validated], tombstones: Tombstones) -> Sequence[Validated]:
    """Without those that waited here while their customer was erased: the lake has none of them either."""
    if not tombstones:
        return transactions
    return [
        one
        for one in transactions
        if not tombstones.cover(one.transaction.customer_id, one.transaction.ts_ms)
    ]


def records(totals: pl.DataFrame) -> Iterator[Output]:
    """One record a group and window, in the order of the rows."""
    for row in totals.iter_rows(named=True):
        record = _aggregate(**row)
        yield Output(ANALYTICS.name, record.group, encode(record), _HEADERS)


def _aggregate(window_name: str, dimension: str, member: str, count: int, **figures: int) -> WindowAggregate:
    return WindowAggregate(
        group=f"{dimension}:{member}",
        dimension=dimension,
        member=member,
        window=window_name,
        count=count,
        mean_base_minor=figures["volume_base_minor"] / count,
        fraud_rate=figures["fraud_count"] / count,
        **figures,
    )


def _observe(totals: pl.DataFrame, late: pl.DataFrame) -> None:
    for name, number in totals.group_by("window_name").len().iter_rows():
        WINDOWS_CHANGED.labels(name).inc(number)
    for name, number in late.group_by("window_name").len().iter_rows():
        LATE.labels(name).inc(number)
