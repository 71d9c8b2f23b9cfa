"""Decay and drift propose a training once; a healthy model never."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from bdp_assets.clients.postgres import WarehouseUnavailable
from bdp_assets.defs.monitoring.retraining import DRIFTED, model_retraining_sensor
from bdp_assets.defs.partitions import DAYS
from bdp_assets.monitoring.performance.decay import Decay
from bdp_assets.operations.performance import proposal
from bdp_assets.operations.performance.proposal import Serving

TODAY = date(2026, 3, 10)
DRIFT = dg.AssetKey(["monitoring", "drift"])


@dg.asset_check(asset=DRIFT, name="drift_scores")
def drift_scores() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `serving` finds, to be changed by a test."""
    found: dict[str, Any] = {"version": "3", "trained_at_ms": 0, "high": 0.6, "as_of": TODAY}

    def serving(settings: object) -> Serving:
        if found.get("away"):
            raise WarehouseUnavailable("PostgreSQL is away")
        rest = {"registered": 0.6, "matured": 0.3, "low": 0.2, "bound": 0.2, "transactions": 9, "frauds": 9}
        decay = Decay(as_of=found["as_of"], model_version="3", high=found["high"], **rest)
        return Serving(found["version"], found["trained_at_ms"], decay)

    monkeypatch.setattr(proposal, "serving", serving)
    return found


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    defs = dg.Definitions(assets=[dg.AssetSpec(DRIFT)], asset_checks=[drift_scores])
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, repository_def=defs.get_repository_def()
    )
    return model_retraining_sensor(context)


def evaluate(instance: dg.DagsterInstance, *, passed: bool, days: int = 1) -> None:
    evaluation = dg.AssetCheckEvaluation(
        asset_key=DRIFT,
        check_name="drift_scores",
        passed=passed,
        metadata={DRIFTED: dg.MetadataValue.int(days)},
    )
    instance.report_runless_asset_event(evaluation)


def test_decay_proposes_once_a_day(model: dict[str, Any], instance: dg.DagsterInstance) -> None:
    model["high"] = 0.4799
    proposed = tick(instance)
    (request,) = proposed.run_requests
    assert request.run_key == "retrain 3 2026-03-10"
    assert request.partition_key == DAYS.get_last_partition_key()
    assert "is below 0.480" in request.tags["bdp/why"]
    again = tick(instance, proposed.cursor)
    assert isinstance(again, dg.SkipReason)
    assert "Proposed already" in str(again.skip_message)
    model["as_of"] += timedelta(days=1)
    assert tick(instance, proposed.cursor).run_requests[0].run_key == "retrain 3 2026-03-11"


def test_a_healthy_model_is_never_proposed(model: dict[str, Any], instance: dg.DagsterInstance) -> None:
    evaluate(instance, passed=True)
    for high in (0.4801, 0.6, 0.9):
        model["high"] = high
        assert "is not below" in tick(instance).skip_message


def test_drift_proposes_too_and_a_model_that_is_younger_than_it_is_left_alone(
    model: dict[str, Any], instance: dg.DagsterInstance
) -> None:
    evaluate(instance, passed=False)
    proposed = tick(instance)
    assert proposed.run_requests[0].run_key.startswith("retrain 3 ")
    assert "drift_scores failed" in proposed.run_requests[0].tags["bdp/why"]
    model |= {"version": "4", "trained_at_ms": 10**15}
    assert isinstance(tick(instance, proposed.cursor), dg.SkipReason)
    model["trained_at_ms"] = 0
    assert tick(instance, proposed.cursor).run_requests
    evaluate(instance, passed=True)
    assert isinstance(tick(instance, proposed.cursor), dg.SkipReason)


def test_drift_that_could_not_be_looked_for_is_none(
    model: dict[str, Any], instance: dg.DagsterInstance
) -> None:
    evaluate(instance, passed=False, days=0)
    assert "is not below" in tick(instance).skip_message


def test_a_warehouse_that_is_away_is_said(model: dict[str, Any], instance: dg.DagsterInstance) -> None:
    model["away"] = True
    assert "PostgreSQL is away" in tick(instance).skip_message
