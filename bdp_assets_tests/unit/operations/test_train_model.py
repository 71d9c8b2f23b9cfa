"""Training on a lake: what it reads, and that it refuses where the stored features know too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.defs.training.assets import fraud_ensemble
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import TABLES
from bdp_assets.operations import train_model
from bdp_assets.operations.train_model import GUARD, Material, of_lake, train_on
from bdp_assets.settings import Settings, get_settings
from bdp_assets.training.early_labels import History
from bdp_assets.training.leaks import LeakFound
from bdp_assets.training.protocols import Plan, Protocol
from bdp_assets.training.split import TrainingData
from bdp_assets_tests.unit.training.leaky import fold
from benchmarks.model.plants import BUILDERS, with_features_of

CUT_MS = int(datetime(2018, 8, 22, tzinfo=UTC).timestamp() * 1000)
PLAN = Plan(Protocol(train_days=7, test_days=7), cut_ms=CUT_MS)
LEAK = "own label in the merchant's risk"


@pytest.fixture(scope="module")
def honest() -> tuple[TrainingData, History]:
    return fold()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setenv("BDP_LAKE_URL", str(tmp_path / "lake"))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


def write(settings: Settings, data: TrainingData, history: History) -> None:
    """The tables that training reads, with these features."""
    times = history.transactions.select("customer_id", "transaction_id", "ts_ms")
    labels = history.labels.join(times, on=["customer_id", "transaction_id"], maintain_order="left")
    for table, rows, day in (
        ("enriched", history.transactions, "ts_ms"),
        ("features", data.features, "ts_ms"),
        ("labels", labels.filter("is_fraud"), "known_at_ms"),
    ):
        filled = rows.with_columns(
            event_date=pl.from_epoch(day, time_unit="ms").dt.date(), catalog_version=pl.lit(CATALOG.version)
        )
        absent = [
            pl.lit(None, dtype).alias(n) for n, dtype in TABLES[table].items() if n not in filled.columns
        ]
        Lake.of(settings).append(table, filled.with_columns(absent).select(TABLES[table].names()))


def write_to_the_cut(settings: Settings, data: TrainingData, history: History) -> None:
    """With a transaction of the day before the cut: labels are known as far as the lake reaches."""
    last = data.features.tail(1).with_columns(ts_ms=pl.lit(CUT_MS - 1), transaction_id=pl.lit("last"))
    write(settings, replace(data, features=pl.concat([data.features, last])), history)


def test_a_lake_without_a_leak_is_what_its_features_were_made_of(
    settings: Settings, honest: tuple[TrainingData, History]
) -> None:
    write_to_the_cut(settings, *honest)
    material = of_lake(settings, PLAN)
    assert material.snapshot == "features@0 labels@0 enriched@0"
    assert not material.snapshot_is_named
    assert of_lake(settings, PLAN, material.snapshot).snapshot_is_named
    assert material.data.split == honest[0].split
    leaks = material.leaks()
    assert leaks.found == []
    assert leaks.features["compared"].min() == 200


@pytest.mark.parametrize("leak", BUILDERS)
def test_a_lake_whose_features_know_too_much_is_refused_before_anything_is_trained(
    leak: str, settings: Settings, honest: tuple[TrainingData, History]
) -> None:
    data, history = honest
    write_to_the_cut(settings, with_features_of(BUILDERS[leak], data, history), history)
    steps: list[str] = []
    with pytest.raises(LeakFound, match=r"merchant_fraud|customer_count_7d"):
        train_on(settings, of_lake(settings, PLAN), progress=steps.append)
    assert steps == [GUARD]


def test_the_delay_that_is_judged_is_not_the_splits_own(
    settings: Settings, honest: tuple[TrainingData, History]
) -> None:
    data, history = honest
    assert Material(data, history, 8, "none").leaks().split != ()
    assert Material(data, history, 7, "none").leaks().split == ()


def test_the_asset_fails_its_check_and_registers_nothing(
    settings: Settings, honest: tuple[TrainingData, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, history = honest
    write_to_the_cut(settings, with_features_of(BUILDERS[LEAK], data, history), history)
    monkeypatch.setattr(train_model, "ask_registry", lambda settings: None)
    with dg.DagsterInstance.ephemeral() as instance:
        config = dg.RunConfig({"models__fraud_ensemble": {"config": {"train": 7, "test": 7}}})
        done = dg.materialize(
            [fraud_ensemble],
            instance=instance,
            partition_key="2026-02-01",
            run_config=config,
            raise_on_error=False,
        )
    assert not done.success
    [check] = done.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("fraud_ensemble_no_leak", False)
    assert "merchant_frauds_3d" in check.metadata["leaks"].value
    assert "| merchant_frauds_3d | 200 | 0 |" in check.metadata["features"].value
    assert done.asset_materializations_for_node("models__fraud_ensemble") == []
    assert not (settings.home / "models").exists()


@pytest.mark.usefixtures("settings")
def test_many_days_are_no_model() -> None:
    days = zip(("start", "end"), ("2026-02-01", "2026-02-02"), strict=True)
    tags = {f"dagster/asset_partition_range_{end}": day for end, day in days}
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([fraud_ensemble], instance=instance, tags=tags, raise_on_error=False)
    [failure] = [event for event in done.all_events if event.is_step_failure]
    assert "Backfill it with a run for each" in str(failure.step_failure_data.error)
