"""Declarations as Grafana's JSON (schema 41, Grafana 12)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from bdp_assets.operations.dashboards.panels import WIDE, Dashboard, Kind, Limits, Panel, Query, Source

DOCS = "http://localhost:8000"
"""Where `mkdocs serve` shows the docs; each dashboard has a field at its top to say otherwise."""
TAG = "bdp"
_LINK = {
    "asDropdown": False,
    "icon": "doc",
    "includeVars": False,
    "keepTime": False,
    "tags": [],
    "tooltip": "",
}
_TYPES = {Source.PROMETHEUS: "prometheus", Source.LOKI: "loki", Source.WAREHOUSE: "postgres"}
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[Kind, dict[str, Any]] = {
    Kind.STAT: {"colorMode": "value", "graphMode": "none", "reduceOptions": _LAST},
    Kind.LINES: {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    Kind.STATES: {"mergeValues": True, "showValue": "never", "rowHeight": 0.8},
    Kind.TABLE: {"showHeader": True},
    Kind.LOGS: {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending"},
}


def text(dashboard: Dashboard) -> str:
    """The file's content."""
    return json.dumps(_dashboard(dashboard), indent=1) + "\n"


def _dashboard(of: Dashboard) -> dict[str, Any]:
    boards = {**_LINK, "type": "dashboards", "title": "Dashboards", "tags": [TAG], "keepTime": True}
    runbook = {
        **_LINK,
        "type": "link",
        "title": "Runbook",
        "url": "${docs}/runbook.html",
        "targetBlank": True,
    }
    return {
        "uid": of.uid,
        "title": of.title,
        "description": of.says,
        "tags": [TAG],
        "schemaVersion": 41,
        "editable": False,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": f"now-{of.range}", "to": "now"},
        "links": [boards, runbook],
        "templating": {"list": [_docs_field()]},
        "annotations": {"list": []},
        "panels": [_panel(*placed, number) for number, placed in enumerate(_placed(of.panels), 1)],
    }


def _docs_field() -> dict[str, Any]:
    chosen = {"text": DOCS, "value": DOCS}
    return {"type": "textbox", "name": "docs", "label": "Docs at", "query": DOCS, "current": chosen}


def _placed(panels: Sequence[Panel]) -> Iterator[tuple[Panel, dict[str, int]]]:
    """From left to right; what does not fit begins below the highest of its row."""
    x = y = highest = 0
    for panel in panels:
        if x + panel.width > WIDE:
            x, y, highest = 0, y + highest, 0
        yield panel, {"x": x, "y": y, "w": panel.width, "h": panel.height}
        x, highest = x + panel.width, max(highest, panel.height)


def _panel(panel: Panel, place: dict[str, int], number: int) -> dict[str, Any]:
    source = {"type": _TYPES[panel.source], "uid": panel.source.value}
    return {
        "id": number,
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.says,
        "datasource": source,
        "gridPos": place,
        "links": [_runbook(panel.runbook)] if panel.runbook else [],
        "fieldConfig": {"defaults": _field(panel), "overrides": [_column(*each) for each in panel.units]},
        "options": _OPTIONS[panel.kind],
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": source, **_target(panel, query)}
            for at, query in enumerate(panel.queries)
        ],
    }


def _runbook(alert: str) -> dict[str, Any]:
    return {
        "title": f"Runbook: {alert}",
        "url": f"${{docs}}/runbook.html#{alert.lower()}",
        "targetBlank": True,
    }


def _field(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = {
        "unit": panel.unit.value,
        "thresholds": {"mode": "absolute", "steps": _steps(panel.limits)},
    }
    if panel.kind is Kind.LINES:
        field["custom"] = {
            "fillOpacity": 10,
            "thresholdsStyle": {"mode": "dashed" if panel.limits else "off"},
        }
    else:
        field["color"] = {"mode": "thresholds"}
    return field


def _steps(limits: Limits | None) -> list[dict[str, Any]]:
    """The first has no value: from minus infinity on."""
    if limits is None:
        return [_step("blue", None)]
    if limits.low:
        steps = [_step("red", None), _step("orange", limits.bad), _step("green", limits.warn)]
    else:
        steps = [_step("green", None), _step("orange", limits.warn), _step("red", limits.bad)]
    return steps if limits.warn != limits.bad else [steps[0], steps[2]]


def _step(color: str, value: float | None) -> dict[str, Any]:
    return {"color": color, "value": value}


def _column(name: str, unit: str) -> dict[str, Any]:
    return {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": str(unit)}]}


def _target(panel: Panel, query: Query) -> dict[str, Any]:
    if panel.source is Source.WAREHOUSE:
        form = "time_series" if panel.kind is Kind.LINES else "table"
        return {"rawQuery": True, "editorMode": "code", "format": form, "rawSql": query.text}
    asked: dict[str, Any] = {"expr": query.text, "legendFormat": query.legend}
    if panel.source is Source.LOKI:
        return {**asked, "queryType": "range"}
    at_once = panel.kind is Kind.STAT
    return {**asked, "instant": at_once, "range": not at_once}
