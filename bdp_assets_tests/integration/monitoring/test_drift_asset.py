"""The asset on a real registry (MLflow without a server), lake and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import Registry
from bdp_assets.contracts.columns import EVENT_DATE, event_date
from bdp_assets.features.catalog import CATALOG
from bdp_assets.monitoring.drift.reference import FILE
from bdp_assets.operations import migrations
from bdp_assets.operations.drift.keeping import reference_file
from bdp_assets.settings import Settings, get_settings
from bdp_assets.training.release import register
from bdp_assets.training.split import Split, TrainingData
from bdp_assets_tests.fakes.drift_world import ms
from bdp_assets_tests.fakes.scored_lake import append
from bdp_assets_tests.fakes.tiny_bundle import tiny_rows
from bdp_assets_tests.fakes.trained_model import trained
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.warehouse.conftest import query
from bdp_assets_tests.unit.defs.conftest import judges_itself, run

pytestmark = pytest.mark.services
START, MODEL, A_DAY, DELAY = date(2026, 1, 5), 49, 250, 7
USUAL, SHIFTED = START + timedelta(days=MODEL + 8), START + timedelta(days=MODEL + 9)
DRIFT = dg.AssetKey(["monitoring", "drift"])


def transactions(days: int) -> pl.DataFrame:
    matrix, fraud = tiny_rows(len(CATALOG.names), rows=days * A_DAY, seed=31)
    number = range(days * A_DAY)
    return pl.DataFrame(
        {
            "transaction_id": [f"t{at}" for at in number],
            "customer_id": [f"c{at % 97}" for at in number],
            "ts_ms": [ms(START) + at // A_DAY * 86_400_000 + at % A_DAY for at in number],
            **dict(zip(CATALOG.names, matrix.T, strict=True)),
            "is_fraud": fraud,
        }
    ).with_columns(event_date("ts_ms"))


def labels_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Known two days later."""
    known = rows.filter("is_fraud").with_columns(known_at_ms=pl.col("ts_ms") + 2 * 86_400_000)
    return known.select("transaction_id", "customer_id", "is_fraud", "known_at_ms")


@pytest.fixture
def settings(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    migrations.upgrade(platform.settings)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setenv("BDP_POSTGRES_URL", platform.settings.postgres())
    monkeypatch.setenv("BDP_MLFLOW_URI", f"sqlite:///{tmp_path}/mlflow.db")
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()
    migrations.downgrade(platform.settings, "base")


def verdict(result: dg.ExecuteInProcessResult) -> tuple[bool, dict[str, Any]]:
    assert result.success
    assert judges_itself(result)
    [check] = result.get_asset_check_evaluations()
    return check.passed, {name: entry.value for name, entry in check.metadata.items()}


def test_from_a_model_without_a_reference_to_a_drift(settings: Settings, tmp_path: Path) -> None:
    rows, lake, registry = transactions(MODEL + 10), Lake.of(settings), Registry.of(settings)
    labels, model = labels_of(rows), trained(tmp_path / "model")
    served = rows.with_columns(
        catalog_version=pl.lit(CATALOG.version),
        amount_value=pl.when(pl.col(EVENT_DATE) == SHIFTED).then(9.0).otherwise("amount_value"),
    ).filter(pl.col(EVENT_DATE) >= USUAL - timedelta(days=DELAY))
    append(lake, "enriched", served.drop("is_fraud"))
    append(lake, "labels", labels.with_columns(event_date("known_at_ms")))
    probability = np.random.default_rng(0).random(len(served))
    scores = served.select("transaction_id", "customer_id", "ts_ms", EVENT_DATE).with_columns(
        fraud_probability=pl.Series(probability), model_version=pl.lit("2")
    )
    append(lake, "predictions", scores)

    with dg.DagsterInstance.ephemeral() as instance:
        passed, told = verdict(run(instance, "judge_drift", USUAL, USUAL))
        assert (passed, "no champion yet" in told["reason"]) == (False, True)
        registry.promote(register(model, registry))
        passed, told = verdict(run(instance, "judge_drift", USUAL, USUAL))
        assert passed is False
        assert "champion 1 was trained before models kept a reference for drift" in told["reason"]

        end = ms(START + timedelta(days=MODEL))
        split = Split.before(end, delay_days=DELAY)
        data = TrainingData(
            rows.drop("is_fraud", EVENT_DATE).filter(pl.col("ts_ms") < end), labels, split, end
        )
        kept = replace(model, documents={FILE: reference_file(data, DELAY, model)})
        registry.promote(register(kept, registry))
        for _ in range(2):
            passed, told = verdict(run(instance, "judge_drift", USUAL, SHIFTED))
            assert (passed, told["days"], "amount_value" in told["drifted"]) == (False, 2, True)
        event = instance.get_latest_materialization_event(DRIFT)
        assert event is not None
        assert event.asset_materialization is not None

    found = query(
        settings,
        "SELECT event_date, kind, bool_or(drifted), count(*) > 1 FROM warehouse.drift "
        "WHERE quantity = ANY(ARRAY['amount_value', 'hour', 'fraud']) AND model_version = '2' "
        "AND segment = 'all' GROUP BY event_date, kind ORDER BY event_date, kind",
    )
    week = timedelta(days=DELAY)
    assert found == [
        (USUAL - week, "label", False, False),
        (SHIFTED - week, "label", False, False),
        (USUAL, "feature", False, True),
        (SHIFTED, "feature", True, True),
    ]
    [(scored,)] = query(settings, "SELECT count(*) FROM warehouse.drift WHERE kind = 'score' AND drifted")
    assert scored > 0, "scores at random are not this model's"
    text = (settings.metrics_dir / "drift.prom").read_text()
    assert 'bdp_drift_psi_ratio{quantity="amount_value"}' in text
