"""Dagster's GraphQL: what the control plane says of its assets and checks (no import of dagster)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from bdp_assets.settings import LOOPBACK, Settings

TIMEOUT_S = 30.0

_STATE = """
{ assetNodes {
    assetKey { path }
    isMaterializable
    assetMaterializations(limit: 1) { timestamp }
    assetChecksOrError {
      ... on AssetChecks { checks { name executionForLatestMaterialization { status } } }
    }
} }
"""

LOCATION = {"repositoryLocationName": "bdp_assets.definitions", "repositoryName": "__repository__"}
_FIRST_DAY, _LAST_DAY = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

_ASSETS = """
query ($job: PipelineSelector!) { assetNodes(pipeline: $job) { assetKey { path } } }
"""

_LAUNCH = """
mutation ($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {
    selector: $selector, runConfigData: {}, executionMetadata: {tags: $tags}
  }) {
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
} }
"""

_RUN = """
query ($id: ID!) {
  runOrError(runId: $id) {
    ... on Run { status stepStats { stepKey status startTime endTime } }
    ... on Error { message }
} }
"""

_FAILURES = """
query ($id: ID!) {
  runOrError(runId: $id) { ... on Run { eventConnection { events {
    ... on ExecutionStepFailureEvent { stepKey error { message causes { message } } }
    ... on RunFailureEvent { error { message } }
} } } } }
"""

_DAYS = """
query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetPartitionStatuses {
    ... on TimePartitionStatuses { ranges { status startKey endKey } }
} } } }
"""


class ControlPlaneUnavailable(Exception):  # noqa: N818 - reads as what it is
    """Dagster's webserver does not answer."""


@dataclass(frozen=True)
class ControlPlaneState:
    """Names are `layer/noun`; checks are `layer/noun:check`."""

    materialised: tuple[str, ...]
    missing: tuple[str, ...]
    checks_passed: tuple[str, ...]
    checks_failed: tuple[str, ...]


def state(settings: Settings) -> ControlPlaneState:
    """Which assets have been materialised and how their checks came out. Raises ControlPlaneUnavailable."""
    nodes = _query(settings, _STATE)["assetNodes"]
    ours = [node for node in nodes if node["isMaterializable"]]
    verdicts = [verdict for node in ours for verdict in _verdicts(node)]
    return ControlPlaneState(
        materialised=tuple(sorted(_name(node) for node in ours if node["assetMaterializations"])),
        missing=tuple(sorted(_name(node) for node in ours if not node["assetMaterializations"])),
        checks_passed=tuple(sorted(check for check, status in verdicts if status == "SUCCEEDED")),
        checks_failed=tuple(sorted(check for check, status in verdicts if status.endswith("FAILED"))),
    )


def _name(node: Any) -> str:
    return "/".join(node["assetKey"]["path"])


def _verdicts(node: Any) -> list[tuple[str, str]]:
    checks = node["assetChecksOrError"].get("checks", [])
    executions = [(check["name"], check["executionForLatestMaterialization"]) for check in checks]
    return [(f"{_name(node)}:{name}", execution["status"]) for name, execution in executions if execution]


@dataclass(frozen=True)
class Step:
    """A step of a run; `seconds` once it has ended."""

    name: str
    status: str
    seconds: float | None


@dataclass(frozen=True)
class Run:
    """`status` is Dagster's: QUEUED, STARTING, STARTED, SUCCESS, FAILURE, CANCELED, ..."""

    status: str
    steps: tuple[Step, ...]

    @property
    def finished(self) -> bool:
        return self.status in ("SUCCESS", "FAILURE", "CANCELED")


def launch(settings: Settings, job: str, days: tuple[date, date] | None = None) -> str:
    """Ask for a run of a job, for a range of days in one run where it has days; returns the run's id.

    Raises ControlPlaneUnavailable.
    """
    tags = dict(zip((_FIRST_DAY, _LAST_DAY), map(str, days or ()), strict=False))
    # The assets by name: automation does not follow what the same run makes, but only looks at this list.
    assets = _query(settings, _ASSETS, job={**LOCATION, "pipelineName": job})["assetNodes"]
    answer = _query(
        settings,
        _LAUNCH,
        selector={**LOCATION, "jobName": job, "assetSelection": [node["assetKey"] for node in assets]},
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )["launchRun"]
    return str(_expected(answer, "run")["runId"])


def run(settings: Settings, run_id: str) -> Run:
    """How far a run is. Raises ControlPlaneUnavailable."""
    answer = _query(settings, _RUN, id=run_id)["runOrError"]
    status = _expected(answer, "status")
    return Run(status, tuple(_step(step) for step in answer["stepStats"]))


def failures(settings: Settings, run_id: str) -> list[str]:
    """Why steps of a run failed: a message each, with the step's name. Raises ControlPlaneUnavailable."""
    events = _query(settings, _FAILURES, id=run_id)["runOrError"]["eventConnection"]["events"]
    failed = [event for event in events if event.get("error")]
    # The run fails because steps do; it has a reason of its own only when none did.
    return [_failure(event) for event in failed if "stepKey" in event] or [
        _failure(event) for event in failed
    ]


def materialised_days(settings: Settings, asset: str) -> list[tuple[date, date]]:
    """Ranges of days of a daily asset (`layer/noun`) that have been materialised, in order.

    Raises ControlPlaneUnavailable.
    """
    node = _query(settings, _DAYS, key={"path": asset.split("/")})["assetNodeOrError"]
    ranges = _expected(node, "assetPartitionStatuses").get("ranges", [])
    return [
        (date.fromisoformat(found["startKey"]), date.fromisoformat(found["endKey"]))
        for found in ranges
        if found["status"] == "MATERIALIZED"
    ]


def _step(stats: Any) -> Step:
    ended = stats["endTime"] is not None
    seconds = round(stats["endTime"] - stats["startTime"], 1) if ended else None
    return Step(stats["stepKey"], stats["status"] or "IN_PROGRESS", seconds)


def _failure(event: Any) -> str:
    error = event["error"]
    reason = (error.get("causes") or [error])[-1]["message"].strip()
    return f"{event['stepKey']}: {reason}" if "stepKey" in event else reason


def _expected(answer: Any, field: str) -> Any:
    if field not in answer:
        raise ControlPlaneUnavailable(f"Dagster refused: {answer.get('message', 'no such asset or job')}")
    return answer[field]


def _query(settings: Settings, query: str, **variables: Any) -> Any:
    url = f"http://{LOOPBACK}:{settings.dagster_port}/graphql"
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            content = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        raise ControlPlaneUnavailable(
            f"Dagster does not answer at {url}: {error}. `bdp logs dagster-webserver` tells more."
        ) from error
    if content.get("errors"):
        raise ControlPlaneUnavailable(f"Dagster refused a query: {content['errors'][0]['message']}")
    return content["data"]
