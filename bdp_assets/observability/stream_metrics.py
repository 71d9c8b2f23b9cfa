"""Prometheus metrics of the stream workers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal, Protocol

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("bdp_stream_messages_total", "Messages whose results and offsets are committed")
DEAD_LETTERS = Counter("bdp_stream_dead_letters_total", "Messages refused, by error code", ["error"])
ALERTS = Counter(
    "bdp_stream_alerts_total", "Alerts that call people: new, or more severe than before", ["severity"]
)
RETRIES = Counter("bdp_stream_retries_total", "Micro-batches that had to be redone, by reason", ["reason"])
REBALANCES = Counter("bdp_stream_rebalances_total", "Partitions assigned, revoked or lost: events", ["event"])
LAG = Gauge(
    "bdp_stream_lag_messages", "Offsets between this worker's position and the ends of its partitions"
)
WINDOWS_CHANGED = Counter(
    "bdp_analytics_windows_changed_total", "New totals of a group in a window, by kind of window", ["window"]
)
LATE = Counter(
    "bdp_analytics_late_transactions_total",
    "Transactions that came after a window and its grace had passed, by kind of window",
    ["window"],
)
BATCH_SIZE = Histogram(
    "bdp_stream_batch_size_messages",
    "Messages in a committed micro-batch",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)
STEP_DURATION = Histogram(
    "bdp_stream_step_duration_seconds",
    "Time of one step on one micro-batch",
    ["step"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
FRESHNESS = Histogram(
    "bdp_stream_freshness_seconds",
    "Oldest message of each micro-batch: from its Kafka timestamp until its features, or what else became of "
    "it, can be read",
    ["until"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300),
)


class Dated(Protocol):
    """A message. `timestamp_ms`: Kafka's, UTC epoch milliseconds."""

    @property
    def timestamp_ms(self) -> int: ...


def observe_freshness(until: Literal["feature", "output"], batch: Iterable[Dated]) -> None:
    """Now its features can be read in the online store, or its output by everybody."""
    oldest_ms = min((message.timestamp_ms for message in batch), default=None)
    if oldest_ms is not None:
        FRESHNESS.labels(until).observe(max(0.0, time.time() - oldest_ms / 1000))
