"""Metrics of the tombstones of erased customers, in every process that refuses by them."""

from __future__ import annotations

from prometheus_client import Gauge

TOMBSTONES_PUBLISHED = Gauge(
    "bdp_tombstones_published_seconds",
    "When the tombstones in force were published (Unix time; 0: never), of the process furthest behind",
    multiprocess_mode="livemin",
)
TOMBSTONES_UNREADABLE = Gauge(
    "bdp_tombstones_unreadable_info",
    "1 while the published tombstones can not be read: who is erased now is not refused",
    multiprocess_mode="livemax",
)
