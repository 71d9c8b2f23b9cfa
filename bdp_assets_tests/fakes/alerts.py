"""Alerts as a list of transactions each, read from the start whenever one is asked for: slow, and plain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bdp_assets.contracts.records import Alert, Decision, Prediction, Reason, Severity
from bdp_assets.decisions.alerts import severity

HOUR_MS = 3_600_000
ORDER = [Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]


class NaiveAlerts:
    """What `decisions.alerts.Alerts` promises."""

    def __init__(self) -> None:
        self.alerts: defaultdict[tuple[str, int], list[Prediction]] = defaultdict(list)

    def __call__(self, decided: Sequence[Prediction]) -> list[Alert | None]:
        return [None if one.decision is Decision.APPROVE else self._grown(one) for one in decided]

    def _grown(self, decided: Prediction) -> Alert:
        members = self.alerts[decided.customer_id, decided.ts_ms // HOUR_MS]
        ids = [member.transaction_id for member in members]
        if decided.transaction_id not in ids:
            members.append(decided)
            ids.append(decided.transaction_id)
        return _as_left_by(members[: ids.index(decided.transaction_id) + 1])


def _as_left_by(members: Sequence[Prediction]) -> Alert:
    *before, last = members
    reasons: dict[str, Reason] = {}
    for member in members:
        for reason in member.reasons:
            reasons.setdefault(reason.code, reason)
    return Alert(
        alert_id=f"{last.customer_id}:{last.ts_ms // HOUR_MS * HOUR_MS}",
        transaction_id=last.transaction_id,
        customer_id=last.customer_id,
        ts_ms=last.ts_ms,
        severity=ORDER[_highest(members)],
        decision=last.decision,
        fraud_probability=last.fraud_probability,
        amount_at_risk_minor=sum(member.amount_base_minor for member in members),
        reasons=list(reasons.values())[:10],
        revision=len(members),
        transactions=len(members),
        first_ms=min(member.ts_ms for member in members),
        last_ms=max(member.ts_ms for member in members),
        notify=_highest(members) > _highest(before),
    )


def _highest(members: Sequence[Prediction]) -> int:
    return max((ORDER.index(severity(member)) for member in members), default=-1)
