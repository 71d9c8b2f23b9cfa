"""What the Helm chart has from the code is what the code says; helm itself: integration/test_helm.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from bdp_assets.contracts.topics import TOPICS
from bdp_assets.operations.helm_chart import CHART, CONTRACT, contract
from bdp_assets.settings import variables

ROOT = Path(__file__).parents[3]


def test_the_chart_has_what_the_code_says() -> None:
    """Record a change with BDP_RECORD=1."""
    if os.environ.get("BDP_RECORD"):
        CONTRACT.write_text(contract())
    assert CONTRACT.read_text() == contract()


def test_every_topic_and_setting_is_there_once() -> None:
    said = yaml.safe_load(contract())
    kinds = said["settings"]
    assert [topic["name"] for topic in said["topics"]] == list(TOPICS)
    named = [name for names in kinds.values() for name in names]
    assert sorted(named) == sorted(variable.name for variable in variables())
    passwords = {"BDP_POSTGRES_URL", "BDP_REDIS_URL", "BDP_PAN_HASH_KEY", "BDP_API_KEY"}
    assert passwords <= set(kinds["secret"])


def test_dagster_in_the_cluster_keeps_lanes_apart_as_here() -> None:
    here = yaml.safe_load((ROOT / "dagster.yaml").read_text())["concurrency"]["runs"]
    there = _values()["dagster"]["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert there["tagConcurrencyLimits"] == here["tag_concurrency_limits"]
    assert there["maxConcurrentRuns"] == here["max_concurrent_runs"]


def test_dagsters_chart_and_package_are_one_version() -> None:
    [dependency] = yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
    assert f"\ndagster=={dependency['version']} \\\n" in (ROOT / "requirements.lock").read_text()


def _values() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return values
