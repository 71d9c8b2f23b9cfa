"""What Dagster answers becomes events; our questions are held against its own schema."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate

from bdp_assets.clients import dagster
from bdp_assets.clients.dagster import ControlPlaneUnavailable, assets, runs
from bdp_assets.settings import Settings

DAYS = (date(2026, 2, 1), date(2026, 2, 3))
QUERIES = {
    f"{module.__name__}.{name}": text
    for module in (assets, runs)
    for name, text in vars(module).items()
    if isinstance(text, str) and text.lstrip().startswith(("query", "mutation", "{"))
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_is_one_that_this_dagster_understands(name: str) -> None:
    schema = create_schema().graphql_schema
    assert validate(schema, parse(QUERIES[name])) == []


def answers(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr(runs, "ask", lambda *_, **__: answer)


def test_a_check_is_open_until_it_is_evaluated_for_what_is_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    executions = {
        "a": {"status": "SUCCEEDED", "evaluation": {"severity": "WARN"}},
        "b": {"status": "FAILED", "evaluation": {"severity": "ERROR"}},
        "c": {"status": "EXECUTION_FAILED", "evaluation": None},
        "d": {"status": "IN_PROGRESS", "evaluation": None},
        "e": None,
        "f": {"status": "FAILED", "evaluation": {"severity": "WARN"}},
    }
    checks = [{"name": name, "executionForLatestMaterialization": one} for name, one in executions.items()]
    node = {
        "assetKey": {"path": ["raw", "labels"]},
        "isMaterializable": True,
        "assetMaterializations": [{"timestamp": "1"}],
        "assetChecksOrError": {"checks": checks},
    }
    topic = {**node, "assetKey": {"path": ["kafka", "raw"]}, "isMaterializable": False}
    never = {**node, "assetKey": {"path": ["raw", "x"]}, "assetMaterializations": []}
    never["assetChecksOrError"] = {"message": "none"}
    monkeypatch.setattr(assets, "ask", lambda *_: {"assetNodes": [node, topic, never]})
    state = dagster.state(settings)
    assert (state.materialised, state.missing) == (("raw/labels",), ("raw/x",))
    assert state.checks_passed == ("raw/labels:a",)
    assert state.checks_failed == ("raw/labels:b", "raw/labels:c")
    assert state.checks_warned == ("raw/labels:f",)
    assert state.checks_open == ("raw/labels:d", "raw/labels:e")


def message(kind: str | None, **fields: Any) -> dict[str, Any]:
    return {"eventType": kind, "stepKey": "raw_labels", "message": "said", "timestamp": "1500", **fields}


def test_a_page_holds_what_a_bar_needs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = {"label": "dagster/partition_row_count", "intValue": 7}
    events = [
        message(
            "ASSET_MATERIALIZATION",
            assetKey={"path": ["raw", "labels"]},
            metadataEntries=[{"label": "preview"}, counted],
        ),
        message(None),
        message("STEP_FAILURE", error={"message": "outer", "causes": [{"message": " inner \n"}]}),
        message("LOGS_CAPTURED", stepKey=None, fileKey="abcd"),
    ]
    log = {"cursor": "9", "hasMore": False, "events": events}
    answers(monkeypatch, {"runOrError": {"status": "STARTED"}, "logsForRun": log})
    page = dagster.page(settings, "run-1")
    materialised, said, failed, captured = page.events
    assert (materialised.asset, materialised.rows, materialised.at_s) == ("raw/labels", 7, 1.5)
    assert (said.kind, said.text, said.rows) == ("LOG", "said", None)
    assert failed.text == "inner"
    assert (captured.step, captured.text) == ("", "abcd")
    assert not page.is_last


@pytest.mark.parametrize(
    ("status", "more", "is_last"),
    [("SUCCESS", False, True), ("SUCCESS", True, False), ("QUEUED", False, False)],
)
def test_the_last_page_is_of_a_run_that_ended_and_told_all(status: str, more: bool, is_last: bool) -> None:
    assert dagster.Page(status, (), "c", more).is_last is is_last


def test_an_unknown_run_is_a_refusal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = {"message": "Pipeline run nope could not be found."}
    answers(monkeypatch, {"runOrError": refusal, "logsForRun": refusal})
    with pytest.raises(ControlPlaneUnavailable, match="could not be found"):
        dagster.page(settings, "nope")


@pytest.mark.parametrize(("days", "found"), [(DAYS, "same"), (None, "whole"), ((DAYS[0], DAYS[0]), None)])
def test_a_run_under_way_is_the_one_for_the_same_days(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, days: tuple[date, date] | None, found: str | None
) -> None:
    start, end = (
        {"key": f"dagster/asset_partition_range_{side}", "value": str(day)}
        for side, day in zip(("start", "end"), DAYS, strict=True)
    )
    results = [{"runId": "whole", "tags": []}, {"runId": "same", "tags": [start, end]}]
    answers(monkeypatch, {"runsOrError": {"results": results}})
    assert dagster.under_way(settings, "history_backfill", days) == found
