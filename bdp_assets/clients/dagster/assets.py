"""What the control plane says of its assets and their checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from bdp_assets.clients.dagster.graphql import ask, expected, name
from bdp_assets.settings import Settings

_STATE = """
{ assetNodes {
    assetKey { path }
    isMaterializable
    assetMaterializations(limit: 1) { timestamp }
    assetChecksOrError {
      ... on AssetChecks {
        checks { name executionForLatestMaterialization { status evaluation { severity } } }
      }
    }
} }
"""

_EACH = """
{ assetNodes {
    assetKey { path }
    isMaterializable
    assetMaterializations(limit: 1) { timestamp }
    freshnessStatusInfo { freshnessStatus }
    assetChecksOrError {
      ... on AssetChecks {
        checks { name executionForLatestMaterialization { status evaluation { severity } } }
      }
    }
} }
"""

_WARNED = "WARNED"
"""In place of a status of Dagster's, which knows no such."""

_DAYS = """
query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetPartitionStatuses {
    ... on TimePartitionStatuses { ranges { status startKey endKey } }
} } } }
"""


@dataclass(frozen=True)
class ControlPlaneState:
    """Names are `layer/noun`; checks are `layer/noun:check`."""

    materialised: tuple[str, ...]
    missing: tuple[str, ...]
    checks_passed: tuple[str, ...]
    checks_failed: tuple[str, ...]
    checks_warned: tuple[str, ...]
    """Failed, and are by their own account a warning."""
    checks_open: tuple[str, ...]
    """Not evaluated yet for what was materialised last."""


def state(settings: Settings) -> ControlPlaneState:
    """Which assets have been materialised and how their checks came out. Raises ControlPlaneUnavailable."""
    nodes = ask(settings, _STATE)["assetNodes"]
    ours = [node for node in nodes if node["isMaterializable"]]
    verdicts = dict(verdict for node in ours for verdict in _verdicts(node))
    failed = {check for check, status in verdicts.items() if status.endswith("FAILED")}
    warned = {check for check, status in verdicts.items() if status == _WARNED}
    passed = {check for check, status in verdicts.items() if status == "SUCCEEDED"}
    return ControlPlaneState(
        materialised=tuple(sorted(name(node) for node in ours if node["assetMaterializations"])),
        missing=tuple(sorted(name(node) for node in ours if not node["assetMaterializations"])),
        checks_passed=tuple(sorted(passed)),
        checks_failed=tuple(sorted(failed)),
        checks_warned=tuple(sorted(warned)),
        checks_open=tuple(sorted(verdicts.keys() - passed - failed - warned)),
    )


def _verdicts(node: Any) -> list[tuple[str, str]]:
    """Checks of an asset with their status, empty where they were not evaluated."""
    checks = node["assetChecksOrError"].get("checks", [])
    return [
        (f"{name(node)}:{check['name']}", _status(check["executionForLatestMaterialization"]))
        for check in checks
    ]


def _status(execution: Any) -> str:
    if not execution:
        return ""
    failed, evaluation = execution["status"] == "FAILED", execution["evaluation"]
    return _WARNED if failed and evaluation["severity"] == "WARN" else execution["status"]


@dataclass(frozen=True)
class AssetState:
    """An asset that Dagster makes (`layer/noun`). `freshness`: its policy's HEALTHY, WARNING, DEGRADED or
    UNKNOWN; empty without one. `checks_failed`: those that are by their own account no warning.
    """

    name: str
    made_s: float | None
    """When it was materialised last (Unix time)."""
    freshness: str
    checks: int
    checks_failed: tuple[str, ...]
    checks_warned: tuple[str, ...]


def each_state(settings: Settings) -> list[AssetState]:
    """Of every asset that Dagster makes, by name. Raises ControlPlaneUnavailable."""
    nodes = ask(settings, _EACH)["assetNodes"]
    return sorted((_asset_state(node) for node in nodes if node["isMaterializable"]), key=lambda a: a.name)


def _asset_state(node: Any) -> AssetState:
    verdicts = {check.partition(":")[2]: status for check, status in _verdicts(node)}
    made = node["assetMaterializations"]
    freshness = (node["freshnessStatusInfo"] or {}).get("freshnessStatus", "")
    return AssetState(
        name=name(node),
        made_s=int(made[0]["timestamp"]) / 1000 if made else None,
        freshness="" if freshness == "NOT_APPLICABLE" else freshness,
        checks=len(verdicts),
        checks_failed=tuple(sorted(name for name, status in verdicts.items() if status.endswith("FAILED"))),
        checks_warned=tuple(sorted(name for name, status in verdicts.items() if status == _WARNED)),
    )


def materialised_days(settings: Settings, asset: str) -> list[tuple[date, date]]:
    """Ranges of days of a daily asset (`layer/noun`) that have been materialised, in order.

    Raises ControlPlaneUnavailable.
    """
    node = ask(settings, _DAYS, key={"path": asset.split("/")})["assetNodeOrError"]
    ranges = expected(node, "assetPartitionStatuses").get("ranges", [])
    return [
        (date.fromisoformat(found["startKey"]), date.fromisoformat(found["endKey"]))
        for found in ranges
        if found["status"] == "MATERIALIZED"
    ]
