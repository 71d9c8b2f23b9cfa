"""Metrics of the allow and block lists, in every process that decides."""

from __future__ import annotations

from prometheus_client import Gauge

LISTS_PUBLISHED = Gauge(
    "bdp_lists_published_seconds",
    "When the lists in force were published (Unix time; 0: never), of the process that is furthest behind",
    multiprocess_mode="livemin",
)
LISTS_UNREADABLE = Gauge(
    "bdp_lists_unreadable_info",
    "1 while the published lists can not be read: no change of a list arrives",
    multiprocess_mode="livemax",
)
