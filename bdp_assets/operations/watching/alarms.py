"""Alerts that fire now: Alertmanager knows them, or, while it is away, Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bdp_assets.operations.watching.source import NotThere
from bdp_assets.runtime import health
from bdp_assets.settings import Settings

_ACTIVE = "/api/v2/alerts?active=true&silenced=false&inhibited=false"
_RULES = "/api/v1/alerts"
_ORDER = ("critical", "warning")


@dataclass(frozen=True)
class Alarm:
    """An alert of Prometheus' that fires. `since_s`: Unix time; `runbook`: where it says what to do."""

    name: str
    severity: str
    team: str
    summary: str
    runbook: str
    since_s: float


def read(settings: Settings) -> list[Alarm]:
    """The most severe first, of those the oldest. Raises NotThere."""
    if not settings.monitoring:
        raise NotThere("Monitoring is off: `bdp up --monitoring`.")
    found = health.json_answer(settings.alertmanager_port, _ACTIVE)
    if found is None:
        answer = health.json_answer(settings.prometheus_port, _RULES)
        if answer is None:
            raise NotThere("Neither Alertmanager nor Prometheus answers: `bdp logs prometheus` may tell why.")
        found = [one for one in answer["data"]["alerts"] if one["state"] == "firing"]
    return in_order([as_alarm(one) for one in found])


def as_alarm(found: Any) -> Alarm:
    """From what either of them says of it: Alertmanager has `startsAt`, Prometheus `activeAt`."""
    labels, annotations = found["labels"], found["annotations"]
    return Alarm(
        name=labels["alertname"],
        severity=labels.get("severity", ""),
        team=labels.get("team", ""),
        summary=annotations.get("summary", ""),
        runbook=annotations.get("runbook", ""),
        since_s=_unix(found.get("startsAt") or found["activeAt"]),
    )


def in_order(alarms: list[Alarm]) -> list[Alarm]:
    return sorted(alarms, key=lambda one: (_rank(one.severity), one.since_s, one.name))


def _rank(severity: str) -> int:
    return _ORDER.index(severity) if severity in _ORDER else len(_ORDER)


def _unix(moment: str) -> float:
    # Prometheus writes nine digits of a second, of which Python reads six.
    whole, _, rest = moment.partition(".")
    zone = "+" + rest.partition("+")[2] if "+" in rest else "Z" if rest else ""
    return datetime.fromisoformat(whole + zone).timestamp()
