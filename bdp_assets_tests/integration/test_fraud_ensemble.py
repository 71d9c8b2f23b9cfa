"""The asset from the lake to the registry (MLflow without a server), and each gate as its check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from bdp_assets.clients.registry import CHALLENGER, Registry
from bdp_assets.defs.training.assets import fraud_ensemble
from bdp_assets.operations import train_model
from bdp_assets.settings import get_settings
from bdp_assets.training import gates
from bdp_assets.training.early_labels import History
from bdp_assets.training.gate import ASKED
from bdp_assets.training.pipeline import AGREEMENT, train
from bdp_assets.training.split import KEY, TrainingData
from bdp_assets_tests.fakes.tiny_bundle import TINY
from bdp_assets_tests.unit.operations.test_train_model import write
from benchmarks.features import synthetic
from benchmarks.features.data import prepared
from benchmarks.model.folds import folds


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setenv("BDP_LAKE_URL", str(tmp_path / "lake"))
    monkeypatch.setenv("BDP_MLFLOW_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(train_model, "train", partial(train, recipe=TINY))
    get_settings.cache_clear()
    yield Registry.of(get_settings())
    get_settings.cache_clear()


def history() -> tuple[TrainingData, History]:
    """A fold of the Handbook's shape, with the week after its test, in which labels become known."""
    given = prepared(synthetic.handbook(rows=40_000, customers=1_600, terminals=800), "made up", made_up=True)
    first, later = (found.ours for found in folds(given, [date(2018, 7, 25), date(2018, 8, 1)]))
    features = pl.concat([first.features, later.features]).unique(KEY, maintain_order=True)
    return replace(first, features=features), History(given.transactions, given.labels)


def checks() -> dict[str, dg.AssetCheckEvaluation]:
    config = dg.RunConfig({"models__fraud_ensemble": {"config": {"train": 7, "test": 7}}})
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([fraud_ensemble], instance=instance, run_config=config)
    found = done.get_asset_check_evaluations()
    return {check.check_name.removeprefix("fraud_ensemble_"): check for check in found}


def test_a_first_model_and_the_same_again(registry: Registry) -> None:
    write(get_settings(), *history())
    first = checks()
    assert set(first) == {*ASKED, "no_leak", "promoted"}
    assert [name for name, check in first.items() if not check.passed] == []
    assert registry.champion() == "1"
    assert registry.version("1").metrics["export_gap"] <= AGREEMENT

    second = checks()
    assert set(second) == set(first)
    assert [name for name, check in second.items() if not check.passed] == []
    assert (registry.champion(), registry.predecessor()) == ("2", "1")
    figures = second["average_precision"].metadata
    assert "is not worse than champion 1's" in figures["reason"].value
    assert [figures[name].value for name in ("difference", "low", "high")] == [0.0, 0.0, 0.0]
    assert "| 100000 | 0 |" in second["bit_identical"].metadata["table"].value


def test_a_model_that_fails_a_gate_stays_challenger_and_the_run_goes_on(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(get_settings(), *history())
    monkeypatch.setattr(gates, "MOST_ERROR", -1.0)
    found = checks()
    assert [name for name, check in found.items() if not check.passed] == ["calibration", "promoted"]
    assert found["calibration"].severity == dg.AssetCheckSeverity.WARN
    assert "calibration: a calibration error of" in found["promoted"].metadata["reason"].value
    assert (registry.champion(), registry.alias(CHALLENGER)) == (None, "1")
