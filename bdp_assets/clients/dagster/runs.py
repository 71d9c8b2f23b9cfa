"""Runs of jobs: asked for, and told of by their events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from bdp_assets.clients.dagster.graphql import LOCATION, ask, expected, name
from bdp_assets.settings import Settings

_FIRST_DAY, _LAST_DAY = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
UNFINISHED = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")

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

_UNDER_WAY = """
query ($filter: RunsFilter!) {
  runsOrError(filter: $filter) {
    ... on Runs { results { runId tags { key value } } }
    ... on Error { message }
} }
"""

_EVENTS = """
query ($id: ID!, $after: String) {
  runOrError(runId: $id) { ... on Run { status } ... on Error { message } }
  logsForRun(runId: $id, afterCursor: $after) {
    ... on Error { message }
    ... on EventConnection { cursor hasMore events {
      ... on MessageEvent { timestamp stepKey message eventType }
      ... on AssetMaterializationPlannedEvent { assetKey { path } }
      ... on MaterializationEvent {
        assetKey { path } metadataEntries { label ... on IntMetadataEntry { intValue } }
      }
      ... on ExecutionStepFailureEvent { error { message causes { message } } }
      ... on RunFailureEvent { error { message causes { message } } }
      ... on LogsCapturedEvent { fileKey }
} } } }
"""

_OUTPUT = """
query ($key: [String!]!) { capturedLogs(logKey: $key) { stderr } }
"""


@dataclass(frozen=True)
class Event:
    """Something that a run has told.

    `kind` is Dagster's word (STEP_START, ASSET_MATERIALIZATION, ...) or LOG for what the code itself says.
    `step` is empty for what concerns the whole run; `text` is the message, of a failure its innermost cause.
    """

    kind: str
    step: str
    text: str
    at_s: float
    asset: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Page:
    """What is new of a run since `cursor` of the page before. `status` is Dagster's: QUEUED, STARTED, ..."""

    status: str
    events: tuple[Event, ...]
    cursor: str
    has_more: bool

    @property
    def is_last(self) -> bool:
        return self.status not in UNFINISHED and not self.has_more


def launch(settings: Settings, job: str, days: tuple[date, date] | None = None) -> str:
    """Ask for a run of a job, for a range of days in one run where it has days; returns the run's id.

    Raises ControlPlaneUnavailable.
    """
    # The assets by name: automation does not follow what the same run makes, but only looks at this list.
    # (A job of checks alone has none, and is asked for as a whole.)
    nodes = ask(settings, _ASSETS, job={**LOCATION, "pipelineName": job})["assetNodes"]
    assets = [node["assetKey"] for node in nodes] or None
    answer = ask(
        settings,
        _LAUNCH,
        selector={**LOCATION, "jobName": job, "assetSelection": assets},
        tags=[{"key": key, "value": value} for key, value in _range_tags(days).items()],
    )["launchRun"]
    return str(expected(answer, "run")["runId"])


def under_way(settings: Settings, job: str, days: tuple[date, date] | None = None) -> str | None:
    """A run of that job for those days that has not ended, such as one that outlived who asked for it.

    Raises ControlPlaneUnavailable.
    """
    wanted = {"pipelineName": job, "statuses": list(UNFINISHED)}
    results = expected(ask(settings, _UNDER_WAY, filter=wanted)["runsOrError"], "results")
    for run in results:
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}
        if {key: tags[key] for key in (_FIRST_DAY, _LAST_DAY) if key in tags} == _range_tags(days):
            return str(run["runId"])
    return None


def _range_tags(days: tuple[date, date] | None) -> dict[str, str]:
    return dict(zip((_FIRST_DAY, _LAST_DAY), map(str, days or ()), strict=False))


def page(settings: Settings, run_id: str, after: str | None = None) -> Page:
    """A run's status, and its events after a cursor. Raises ControlPlaneUnavailable."""
    answer = ask(settings, _EVENTS, id=run_id, after=after)
    events = expected(answer["logsForRun"], "events")
    return Page(
        status=expected(answer["runOrError"], "status"),
        events=tuple(_event(event) for event in events if event),
        cursor=answer["logsForRun"]["cursor"],
        has_more=answer["logsForRun"]["hasMore"],
    )


def output(settings: Settings, run_id: str, file: str) -> str:
    """What a run's process wrote to standard error; `file` is told by its LOGS_CAPTURED event.

    Raises ControlPlaneUnavailable.
    """
    return ask(settings, _OUTPUT, key=[run_id, "compute_logs", file])["capturedLogs"]["stderr"] or ""


def _event(event: Any) -> Event:
    return Event(
        kind=event["eventType"] or "LOG",
        step=event["stepKey"] or "",
        text=_text(event),
        at_s=int(event["timestamp"]) / 1000,
        asset=name(event) if event.get("assetKey") else "",
        rows=_rows(event.get("metadataEntries", [])),
    )


def _text(event: Any) -> str:
    error = event.get("error")
    if error:
        return str((error.get("causes") or [error])[-1]["message"]).strip()
    return str(event.get("fileKey") or event["message"])


def _rows(entries: Any) -> int | None:
    counts = [entry["intValue"] for entry in entries if entry["label"] == "dagster/partition_row_count"]
    return int(counts[0]) if counts else None
