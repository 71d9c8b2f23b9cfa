from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from bdp_assets.definitions import GROUPS, defs
from bdp_assets.defs.serving.shadow import shadow_scores
from bdp_assets.defs.training.assets import fraud_ensemble
from bdp_assets.operations.materialize import SCHEDULED, SCHEDULED_BY_DAY, SCHEDULED_BY_ENDED_DAY
from bdp_assets.project import PROJECT

SNAPSHOT = Path(__file__).parents[2] / "snapshots" / "assets.json"
HEAVY = ("mlflow", "sklearn", "pandas", "pandera", "matplotlib", "alembic", "redis", "onnxruntime")
LAYERS = {"sources", "kafka", "raw", "clean", "features", "models", "serving", "monitoring"}


@pytest.fixture(scope="module")
def specs() -> list[dg.AssetSpec]:
    return sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key)


def test_the_code_location_loads_without_a_warning_and_without_what_is_heavy() -> None:
    loads = "import bdp_assets.definitions as d, sys; d.defs.get_repository_def()"
    program = f"{loads}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_every_asset_is_reached_from_a_source_and_none_is_alone(specs: list[dg.AssetSpec]) -> None:
    upstream = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs}
    assert set().union(*upstream.values()) <= set(upstream), "a dependency names an asset that is not there"
    downstream = {key for keys in upstream.values() for key in keys}
    assert [key for key, deps in upstream.items() if not deps and key not in downstream] == []
    sources = {key for key, deps in upstream.items() if not deps}
    assert {key.path[0] for key in sources} == {"sources"}


def test_there_is_a_way_from_the_topics_to_the_endpoint(specs: list[dg.AssetSpec]) -> None:
    upstream = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs}
    reached, front = set(), {dg.AssetKey(["serving", "fraud_api"])}
    while front:
        reached |= front
        front = {dep for key in front for dep in upstream[key]} - reached
    assert dg.AssetKey(["kafka", "transactions_raw_v1"]) in reached
    assert dg.AssetKey(["kafka", "fraud_labels_v1"]) in reached
    assert dg.AssetKey(["sources", "history_file"]) in reached


def test_every_asset_says_whose_it_is_and_what_it_is(specs: list[dg.AssetSpec]) -> None:
    groups = {group.__name__.rpartition(".")[2] for group in GROUPS}
    for spec in specs:
        assert len(spec.key.path) == 2, spec.key
        assert spec.key.path[0] in LAYERS
        assert spec.group_name in groups
        assert spec.owners
        assert len(spec.description or "") > 20, spec.key


def test_what_follows_the_clock_alone_is_in_a_job_that_the_demo_runs() -> None:
    graph = defs.resolve_asset_graph()
    conditions = {
        **{node.key: node.automation_condition for node in graph.asset_nodes},
        **{key: graph.get(key).automation_condition for key in graph.asset_check_keys},
    }
    waits = {key for key, condition in conditions.items() if "cron_schedule" in repr(condition)}
    assert len(waits) == 11
    run: set[dg.AssetKey | dg.AssetCheckKey] = set()
    for job in ("history_backfill", *SCHEDULED, *SCHEDULED_BY_DAY, *SCHEDULED_BY_ENDED_DAY):
        selected = defs.resolve_job_def(job).asset_layer
        assets = set(selected.executable_asset_keys)
        # Jobs with assets are asked for by those, and bring their checks; others bring all they have.
        checks = selected.asset_graph.asset_check_keys
        run |= assets | {check for check in checks if not assets or check.asset_key in assets}
    assert waits <= run


def test_tables_show_their_columns(specs: list[dg.AssetSpec]) -> None:
    tables = {spec.metadata["table"]: spec for spec in specs if "table" in spec.metadata}
    assert set(tables) == {
        *("raw", "labels", "adjustments", "validated", "quarantined"),
        *("enriched", "features", "predictions", "scores", "shadow_scores", "alerts"),
    }
    for spec in tables.values():
        columns = [column.name for column in spec.metadata["dagster/column_schema"].columns]
        assert columns[-1] == "event_date" or columns[-2:] == ["event_date", "door"]


def test_checks_are_named_after_their_asset() -> None:
    keys = defs.resolve_asset_graph().asset_check_keys
    assert keys
    for key in keys:
        noun = "online_offline" if key.name == "online_offline_skew" else key.asset_key.path[-1]
        assert key.name.startswith(f"{noun}_"), key


def test_sensors_and_the_automation_run_without_being_switched_on() -> None:
    sensors = {sensor.name: sensor for sensor in defs.get_repository_def().sensor_defs}
    assert set(sensors) == {
        "kafka_transactions_landing_sensor",
        "model_retraining_sensor",
        "default_automation_condition_sensor",
        "run_failures",
    }
    assert {sensor.default_status for sensor in sensors.values()} == {dg.DefaultSensorStatus.RUNNING}


def test_a_backfill_trains_one_model_at_a_time() -> None:
    """A pool keeps its runs apart; two of them would leave no room to land live data."""
    instance = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    assert instance["concurrency"]["pools"] == {"granularity": "run", "default_limit": 1}
    assert fraud_ensemble.op.pool == "training"


def test_of_runs_that_score_in_the_shadow_none_takes_back_what_another_wrote() -> None:
    """A backfill of the page has no lane, and the table is read before it is written."""
    assert shadow_scores.op.pool == "shadow"


def test_the_specs_are_as_recorded(specs: list[dg.AssetSpec]) -> None:
    """A change of lineage, names, partitions or automation shows up here; record it with BDP_RECORD=1."""
    found = json.dumps({"assets": [_asset(spec) for spec in specs], **_rest()}, indent=1) + "\n"
    if os.environ.get("BDP_RECORD"):
        SNAPSHOT.write_text(found)
    assert json.loads(found) == json.loads(SNAPSHOT.read_text())


def _asset(spec: dg.AssetSpec) -> dict[str, Any]:
    condition = spec.automation_condition
    return {
        "key": spec.key.to_user_string(),
        "group": spec.group_name,
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "owners": list(spec.owners),
        "kinds": sorted(spec.kinds),
        "daily": spec.partitions_def is not None,
        "automation": condition.get_label() if condition else None,
        "replaces": spec.metadata.get("replaces"),
        "fresh_within_hours": spec.freshness_policy.fail_window.to_timedelta().total_seconds() / 3600
        if isinstance(spec.freshness_policy, dg.FreshnessPolicy)
        else None,
    }


def _rest() -> dict[str, Any]:
    repository = defs.get_repository_def()
    graph = defs.resolve_asset_graph()
    checks = [graph.get(key) for key in graph.asset_check_keys]
    return {
        "checks": sorted(
            f"{c.key.asset_key.to_user_string()}:{c.key.name}{' (blocking)' * c.blocking}" for c in checks
        ),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }
