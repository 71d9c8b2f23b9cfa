"""Assets that no code location of the platform has: what Dagster's history knows of their runs."""

from __future__ import annotations

from collections.abc import Mapping

from bdp_assets.clients.dagster.graphql import ask, expected
from bdp_assets.settings import Settings

_LAST = """
query ($key: AssetKeyInput!) {
  assetOrError(assetKey: $key) { ... on Asset { assetMaterializations(limit: 1) { runId } } }
}
"""

_CHECKS = """
query ($id: ID!) {
  logsForRun(runId: $id) {
    ... on Error { message }
    ... on EventConnection { events {
      ... on AssetCheckEvaluationEvent { evaluation { checkName success assetKey { path } } }
} } } }
"""


def last_run(settings: Settings, asset: str) -> str | None:
    """Id of the run that materialised it last; None: there is none. Raises ControlPlaneUnavailable."""
    answer = ask(settings, _LAST, key={"path": asset.split("/")})["assetOrError"]
    found = answer.get("assetMaterializations") or []
    return str(found[0]["runId"]) if found else None


def checks_of_run(settings: Settings, run_id: str, asset: str) -> Mapping[str, bool]:
    """Whether each check of the asset that the run evaluated passed. Raises ControlPlaneUnavailable."""
    events = expected(ask(settings, _CHECKS, id=run_id)["logsForRun"], "events")
    evaluations = [event["evaluation"] for event in events if event.get("evaluation")]
    return {
        found["checkName"]: found["success"]
        for found in evaluations
        if found["assetKey"]["path"] == asset.split("/")
    }
