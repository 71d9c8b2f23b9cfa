"""Each declared source is an asset before the raw topic; a broken entry keeps nothing else from loading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.defs import topics
from bdp_assets.ingest.sources.entry import TAKEN
from bdp_assets_tests.unit.ingest.sources.entries import write

PROGRAM = """
import json
import bdp_assets.definitions as d
graph = d.defs.resolve_asset_graph()
backfill = d.defs.resolve_job_def("history_backfill").asset_layer.executable_asset_keys
print(json.dumps({
    node.key.to_user_string(): {
        "parents": sorted(key.to_user_string() for key in node.parent_keys),
        "runs": node.is_executable,
        "says": node.description,
        "in backfill": node.key in backfill,
    }
    for node in graph.asset_nodes
}))
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Of a code location whose BDP_HOME has a source that is the history, and a broken one."""
    home: Path = tmp_path_factory.mktemp("home")
    write(home)
    (home / "sources" / "broken.yaml").write_text("name: broken\nlocaton: x.csv\n")
    environment = {**os.environ, "BDP_HOME": str(home), "BDP_HISTORY_SOURCE": "shop"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_sources_lead_to_the_raw_topic_and_the_history(nodes: dict[str, dict[str, Any]]) -> None:
    assert nodes["kafka/transactions_raw_v1"]["parents"] == [
        "sources/broken",
        "sources/payment_systems",
        "sources/shop",
    ]
    assert nodes["sources/history_file"]["parents"] == ["sources/shop"]
    assert "sources/history_file" in nodes["raw/transactions"]["parents"]


def test_a_source_can_be_materialised_by_itself_and_a_broken_one_says_why(
    nodes: dict[str, dict[str, Any]],
) -> None:
    assert nodes["sources/shop"]["runs"]
    assert not nodes["sources/broken"]["runs"]
    assert "did you mean location?" in nodes["sources/broken"]["says"]
    assert nodes["raw/transactions"]["in backfill"]
    assert not nodes["sources/shop"]["in backfill"], "a backfill of days must send nothing to the topic"


def test_no_source_takes_the_name_of_another_asset() -> None:
    assert {spec.key.path[-1] for spec in (topics.history_file, topics.payment_systems)} == set(TAKEN)
