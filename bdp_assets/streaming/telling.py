"""What people hear of a micro-batch: counters, and log lines.

A line names the trace, and a decided transaction by its id, which kept the contract and so holds no card
number. What was refused is named by its place alone: nothing in it is to be trusted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from bdp_assets.clients.kafka import Message
from bdp_assets.observability.stream_metrics import ALERTS, DEAD_LETTERS
from bdp_assets.streaming.items import Dead, Decided

MOST_LINES = 20
"""Of one kind in one batch: a flood of bad messages must not become a flood of lines."""

Trace = Callable[[Message], str]
"""The trace id (32 hex digits) of a message."""

_log = logging.getLogger(__name__)


def refused(items: Sequence[Dead], trace: Trace) -> None:
    """Dead letters."""
    for item in items:
        DEAD_LETTERS.labels(item.error).inc()
    for item in items[:MOST_LINES]:
        at = item.message
        place = {"topic": at.topic, "partition": at.partition, "offset": at.offset}
        why = {"step": item.step, "error": item.error}
        _log.info("message refused", extra={**place, **why, "trace_id": trace(at)})
    _rest("messages refused", len(items))


def alerted(items: Sequence[Decided], trace: Trace) -> None:
    """Alerts that call people."""
    calling = [(item.message, item.alert) for item in items if item.alert is not None and item.alert.notify]
    for _, alert in calling:
        ALERTS.labels(alert.severity.value).inc()
    for message, alert in calling[:MOST_LINES]:
        about = {
            "severity": alert.severity.value,
            "transaction_id": alert.transaction_id,
            "transactions": alert.transactions,
        }
        _log.info("alert", extra={**about, "trace_id": trace(message)})
    _rest("alerts", len(calling))


def _rest(what: str, count: int) -> None:
    if count > MOST_LINES:
        _log.info("more %s in this batch", what, extra={"count": count - MOST_LINES})
