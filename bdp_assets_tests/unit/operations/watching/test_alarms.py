from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.operations.watching import alarms
from bdp_assets.operations.watching.source import NotThere
from bdp_assets.settings import Settings

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()


def told(name: str, severity: str, **when: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, "severity": severity, "team": "platform"},
        "annotations": {"summary": f"{name}!", "runbook": f"docs/runbook.md#{name.lower()}"},
        **when,
    }


def test_both_ways_to_write_a_moment_are_read() -> None:
    for when in (
        {"startsAt": "2026-03-01T12:00:00.000Z"},
        {"activeAt": "2026-03-01T12:00:00.000000001Z"},
        {"activeAt": "2026-03-01T14:00:00.123456789+02:00"},
        {"activeAt": "2026-03-01T12:00:00Z"},
    ):
        found = alarms.as_alarm(told("WorkerDown", "critical", **when))
        assert found.since_s == SINCE
        assert (found.name, found.summary, found.runbook) == (
            "WorkerDown",
            "WorkerDown!",
            "docs/runbook.md#workerdown",
        )


def test_alertmanager_is_asked_first_and_prometheus_where_it_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, monitoring=True, alertmanager_port=1, prometheus_port=2)
    warning = told("DriftFound", "warning", startsAt="2026-03-01T11:00:00Z")
    critical = told("WorkerDown", "critical", startsAt="2026-03-01T12:00:00Z")
    rules = [
        {**told("A", "critical", activeAt="2026-03-01T12:00:00Z"), "state": state}
        for state in ("firing", "pending")
    ]
    answers: dict[int, Any] = {1: [warning, critical], 2: {"data": {"alerts": rules}}}
    monkeypatch.setattr(alarms.health, "json_answer", lambda port, _path: answers[port])
    assert [one.name for one in alarms.read(settings)] == ["WorkerDown", "DriftFound"]
    answers[1] = None
    assert [one.name for one in alarms.read(settings)] == ["A"], "a pending one does not fire yet"
    answers[2] = None
    with pytest.raises(NotThere, match="bdp logs prometheus"):
        alarms.read(settings)


def test_without_monitoring_it_says_how_to_have_it(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="bdp up --monitoring"):
        alarms.read(Settings(home=tmp_path, monitoring=False))
