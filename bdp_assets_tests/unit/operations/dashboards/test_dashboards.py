"""The committed dashboards: they are what the code declares, well laid out, and ask for what there is."""

from __future__ import annotations

import json
import os
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from bdp_assets.operations.dashboards import grafana
from bdp_assets.operations.dashboards.catalog import FOLDER, files
from bdp_assets.operations.dashboards.panels import (
    WIDE,
    Dashboard,
    Panel,
    Source,
    Unit,
    above,
    below,
    lines,
    stat,
)
from bdp_assets.operations.metric_catalog import LABELS, metrics
from bdp_assets.runtime.monitoring import CONFIGURATION

ROOT = Path(__file__).parents[4]
PROVISIONED = ROOT / "deploy" / "compose" / "monitoring" / "grafana"
DASHBOARDS: list[dict[str, Any]] = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
PANELS = [
    pytest.param(panel, id=f"{dashboard['uid']}: {panel['title']}")
    for dashboard in DASHBOARDS
    for panel in dashboard["panels"]
]


def test_the_files_are_what_the_code_declares() -> None:
    """Record them with BDP_RECORD=1 (make dashboards)."""
    if os.environ.get("BDP_RECORD"):
        for name, text in files().items():
            (FOLDER / name).write_text(text)
    assert {file.name: file.read_text() for file in FOLDER.iterdir()} == files()


def test_each_has_a_uid_of_its_own_and_leads_to_the_others_and_to_the_runbook() -> None:
    assert len({one["uid"] for one in DASHBOARDS}) == len({one["title"] for one in DASHBOARDS}) == 7
    for one in DASHBOARDS:
        kinds = {link["type"]: link for link in one["links"]}
        assert set(kinds["dashboards"]["tags"]) <= set(one["tags"])
        assert kinds["link"]["url"] == "${docs}/runbook.html"
        assert [variable["name"] for variable in one["templating"]["list"]] == ["docs"]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one["uid"])
def test_panels_fill_the_page_without_overlap_and_numbers_come_first(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for a, b in combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    for row in {place["y"] for place in places}:
        assert sum(place["w"] for place in places if place["y"] == row) == WIDE
    kinds = [panel["type"] for panel in panels]
    assert kinds.count("stat") == 6 == kinds.index(next(kind for kind in kinds if kind != "stat"))


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_is(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith((".", "`"))
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    known = yaml.safe_load((PROVISIONED / "datasources" / "datasources.yml").read_text())["datasources"]
    uids = {(source["uid"], source["type"]) for source in known}
    for asked in (panel, *panel["targets"]):
        assert (asked["datasource"]["uid"], asked["datasource"]["type"]) in uids


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_leads_to_a_section_of_the_runbook_that_there_is(panel: dict[str, Any]) -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.M)
    known = {f"${{docs}}/runbook.html#{name.lower()}" for name in sections}
    assert {link["url"] for link in panel["links"]} <= known


def of(source: Source) -> list[str]:
    return [
        target.get("expr") or target["rawSql"]
        for dashboard in DASHBOARDS
        for panel in dashboard["panels"]
        if panel["datasource"]["uid"] == source
        for target in panel["targets"]
    ]


def test_metrics_and_recorded_series_are_there() -> None:
    asked = "\n".join(of(Source.PROMETHEUS))
    types = {metric.name: metric.type for metric in metrics()}
    series = {
        f"{name}{end}"
        for name, kind in types.items()
        for end in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))
    }
    named = set(re.findall(r"\bbdp_\w+", asked))
    assert len(named) > 40
    assert named <= series
    rules = [yaml.safe_load(file.read_text()) for file in (CONFIGURATION / "rules").glob("*.yml")]
    recorded = {
        rule["record"]
        for file in rules
        for group in file["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    assert set(re.findall(r"\b[a-z]\w*:\w+:\w+", asked)) <= recorded


def test_labels_are_asked_for_values_that_they_may_have() -> None:
    asked = "\n".join(of(Source.PROMETHEUS))
    matchers = re.findall(r'(\w+)[=!]~?"([^"]*)"', asked)
    ours = [(label, value) for label, value in matchers if label in LABELS]
    assert {label for label, _ in ours} >= {"route", "role", "segment", "check", "kind", "quantity"}
    for label, pattern in ours:
        for part in pattern.split("|"):
            assert any(re.fullmatch(part, value) for value in LABELS[label]), (label, part)


def test_every_dashboard_is_provisioned_and_no_secret_is_in_the_files() -> None:
    [provider] = yaml.safe_load((PROVISIONED / "dashboards" / "dashboards.yml").read_text())["providers"]
    compose = yaml.safe_load((ROOT / "deploy" / "compose" / "docker-compose.monitoring.yml").read_text())
    mounts = compose["services"]["grafana"]["volumes"]
    [mounted] = [volume.split(":")[1] for volume in mounts if volume.startswith("../monitoring:")]
    assert provider["options"]["path"] == f"{mounted}/{FOLDER.relative_to(CONFIGURATION)}"
    sources = yaml.safe_load((PROVISIONED / "datasources" / "datasources.yml").read_text())["datasources"]
    assert {one["uid"] for one in sources} == set(Source)
    secrets = [value for one in sources for value in one.get("secureJsonData", {}).values()]
    assert secrets
    assert all(re.fullmatch(r"\$[A-Z_]+", value) for value in secrets)


def colours(panel: Panel) -> list[tuple[str, float | None]]:
    [shown] = json.loads(grafana.text(Dashboard("name", "Title", "Says.", (panel,))))["panels"]
    return [
        (step["color"], step["value"]) for step in shown["fieldConfig"]["defaults"]["thresholds"]["steps"]
    ]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (above(1, 3), [("green", None), ("orange", 1), ("red", 3)]),
        (above(1), [("green", None), ("red", 1)]),
        (below(0.9, 0.8), [("red", None), ("orange", 0.8), ("green", 0.9)]),
        (below(1), [("red", None), ("green", 1)]),
        (None, [("blue", None)]),
    ],
)
def test_limits_are_steps_of_colour_in_rising_order(limits: Any, expected: list[Any]) -> None:
    assert colours(stat("t", "q", Unit.SHARE, "s.", limits=limits)) == expected
    assert colours(lines("t", {}, Unit.SHARE, "s.", limits=limits)) == expected
