"""Alerts: what a customer's transactions give people to look at, one for each window of event time.

An attack is one alert that grows with each transaction that is not approved. The online store adds it
(alert.lua) and says how it left the alert; a transaction that comes again is answered as the first time. The
keys are of no generation and no feature catalog: a rebuild of the store leaves open alerts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from bdp_assets.clients.redis import Redis, Script, run
from bdp_assets.clients.redis_exchange import Command
from bdp_assets.contracts.records import Alert, Decision, Prediction, Reason, Severity
from bdp_assets.decisions.ruling import URGENCY, severity_of
from bdp_assets.features.records import transaction_key
from bdp_assets.features.spec import SLACK
from bdp_assets.features.times import HOUR

WINDOW_MS = HOUR
"""A customer's alerts within one of these, counted from 1970, are one. It divides a day."""
KEPT_S = (WINDOW_MS + SLACK) // 1000
"""How long an alert stays in the store that does not grow: longer than a message can be delivered again."""
MOST_REASONS = 10

ALERT = Script(files("bdp_assets.decisions").joinpath("alert.lua").read_text())

Grow = Callable[[Sequence[Prediction]], list[Alert | None]]
"""Adds decisions to their alerts, in order, each once; how each left its alert, None for an approval."""

_SEVERITIES = tuple(Severity)
_reason = msgspec.json.Decoder(Reason).decode


class Alerts:
    """A `Grow` that keeps alerts in the online store, beside their customers."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def __call__(self, decided: Sequence[Prediction]) -> list[Alert | None]:
        """Raises StoreUnavailable; then some may have been added, and done again nothing is added twice."""
        calls = [_call(one) for one in decided if one.decision is not Decision.APPROVE]
        replies = iter(run(self._client, calls, [ALERT]) if calls else ())
        return [None if one.decision is Decision.APPROVE else _alert(one, next(replies)) for one in decided]


def window_start(ts_ms: int) -> int:
    """Start (ms) of the window that a time lies in."""
    return ts_ms - ts_ms % WINDOW_MS


def severity(decided: Prediction) -> Severity:
    """Of a decision that is no approval, also where its record is older than the field."""
    found = decided.severity or severity_of(decided.decision, decided.amount_base_minor)
    assert found is not None  # noqa: S101 - no approval
    return found


def _call(decided: Prediction) -> Command:
    key = f"bdp:alerts:{{customer:{decided.customer_id}}}:{window_start(decided.ts_ms)}"
    told = ((reason.code, msgspec.json.encode(reason)) for reason in decided.reasons)
    return ALERT.call(
        [key],
        *(transaction_key(decided.transaction_id), decided.ts_ms, decided.amount_base_minor),
        *(URGENCY[severity(decided)] + 1, KEPT_S, MOST_REASONS),
        *(part for reason in told for part in reason),
    )


def _alert(decided: Prediction, reply: list[Any]) -> Alert:
    count, first_ms, last_ms, amount, urgency, notify, *reasons = reply
    return Alert(
        alert_id=f"{decided.customer_id}:{window_start(decided.ts_ms)}",
        transaction_id=decided.transaction_id,
        customer_id=decided.customer_id,
        ts_ms=decided.ts_ms,
        severity=_SEVERITIES[urgency - 1],
        decision=decided.decision,
        fraud_probability=decided.fraud_probability,
        amount_at_risk_minor=amount,
        reasons=[_reason(reason) for reason in reasons],
        revision=count,
        transactions=count,
        first_ms=first_ms,
        last_ms=last_ms,
        notify=bool(notify),
    )
