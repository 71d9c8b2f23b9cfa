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

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import CHALLENGER, Registry
from bdp_assets.definitions import defs
from bdp_assets.defs.monitoring import upkeep
from bdp_assets.defs.training.gates import KEY as MODEL
from bdp_assets.operations import train_model
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings
from bdp_assets.training import gates
from bdp_assets.training.champions import download
from bdp_assets.training.early_labels import History
from bdp_assets.training.gate import ASKED
from bdp_assets.training.pipeline import AGREEMENT, train
from bdp_assets.training.split import DAY_MS, KEY, TrainingData
from bdp_assets_tests.fakes.tiny_bundle import TINY
from bdp_assets_tests.unit.defs.conftest import judges_itself
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


LATEST, EARLIER = "2026-03-17", "2026-03-09"
"""The last transactions are of 10 March."""
WEEKS = 394 * 7 * DAY_MS
"""From the summer of 2018 to these days, and to the same days of the week."""


def history() -> tuple[TrainingData, History]:
    """A fold of the Handbook's shape, with the week after its test, in which labels become known.

    Its test week has 48 frauds, enough to compare two models.
    """
    raw = synthetic.handbook(rows=160_000, customers=6_400, terminals=3_200)
    given = prepared(raw, "made up", made_up=True)
    first, later = (found.ours for found in folds(given, [date(2018, 7, 25), date(2018, 8, 1)]))
    features = pl.concat([first.features, later.features]).unique(KEY, maintain_order=True)
    moved = pl.col("ts_ms") + WEEKS
    labels = given.labels.with_columns(pl.col("known_at_ms") + WEEKS)
    past = History(given.transactions.with_columns(moved), labels)
    return replace(first, features=features.with_columns(moved)), past


def ran(day: str = LATEST, **config: object) -> dg.ExecuteInProcessResult:
    """The job's run for a day, as far as the champion on this machine."""
    model = {"train": 7, "test": 7, **config}
    ends = zip(("start", "end"), (day, day), strict=True)
    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def("train_and_serve").execute_in_process(
            instance=instance,
            asset_selection=[MODEL, dg.AssetKey(["serving", "model_bundle"])],
            tags={f"dagster/asset_partition_range_{end}": day for end, day in ends},
            run_config={"ops": {"models__fraud_ensemble": {"config": model}}},
            raise_on_error=False,
        )
        assert instance.get_materialized_partitions(MODEL) == {day}
    return done


def checks(day: str = LATEST, **config: object) -> dict[str, dg.AssetCheckEvaluation]:
    return checks_of(ran(day, **config))


def checks_of(done: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    assert judges_itself(done)
    found = [check for check in done.get_asset_check_evaluations() if check.asset_key == MODEL]
    return {check.check_name.removeprefix("fraud_ensemble_"): check for check in found}


def not_asked(found: dict[str, dg.AssetCheckEvaluation]) -> bool:
    """Whether that is what warns, and nothing else does."""
    open_ = {name for name, check in found.items() if not check.passed}
    warned = {name for name in open_ if found[name].severity == dg.AssetCheckSeverity.WARN}
    return open_ == warned == {"average_precision", "cost", "review_capacity", "promoted"}


def bundle(version: str) -> Bundle:
    settings = get_settings()
    return Bundle.read(download(Registry.of(settings), LocalBundles(settings.models_dir), version))


def forget_replaced_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A night's upkeep, as if everything had been replaced long ago: what models name is kept."""
    at_once = get_settings().model_copy(update={"lake_retention_days": 0})
    monkeypatch.setattr(upkeep, "get_settings", lambda: at_once)
    key = dg.AssetKey(["monitoring", "lake_upkeep"])
    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def("scheduled_work").execute_in_process(
            instance=instance, asset_selection=[key]
        )
    (told,) = done.asset_materializations_for_node("monitoring__lake_upkeep")
    assert told.metadata["snapshots gone"].value == 0
    assert "| features | 10 |" in told.metadata["tables"].value


def test_a_first_model_an_equal_one_one_of_its_snapshot_a_short_test_and_an_earlier_day(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(get_settings(), *history())
    first = checks()
    assert set(first) == {*ASKED, "no_leak", "promoted"}
    assert [name for name, check in first.items() if not check.passed] == []
    assert registry.champion() == LocalBundles(get_settings().models_dir).active() == "1"
    assert registry.version("1").metrics["export_gap"] <= AGREEMENT

    second = checks()
    assert set(second) == set(first)
    assert [name for name, check in second.items() if not check.passed] == []
    assert (registry.champion(), registry.predecessor()) == ("2", "1")
    figures = second["average_precision"].metadata
    assert "is not worse than champion 1's" in figures["reason"].value
    assert [figures[name].value for name in ("difference", "low", "high")] == [0.0, 0.0, 0.0]
    assert "| 100000 | 0 |" in second["bit_identical"].metadata["table"].value

    # What is in the lake now is not what the first model saw.
    lake, named = Lake.of(get_settings()), registry.version("1").tags["snapshot_version"]
    for table in ("features", "labels", "enriched"):
        lake.replace(table, lake.read(table).head(10), "true")
    forget_replaced_files(monkeypatch)
    third = checks(snapshot=named)
    assert set(third) == set(first)
    assert not_asked(third)
    assert "a test on a named snapshot's rows" in third["promoted"].metadata["reason"].value
    assert bundle("3").manifest.files == bundle("1").manifest.files
    assert (registry.champion(), registry.alias(CHALLENGER)) == ("2", "3")

    short = checks(test=6, snapshot=named)
    assert not_asked(short)
    assert "`bdp models promote 4` judges it" in short["promoted"].metadata["reason"].value
    assert (registry.champion(), registry.alias(CHALLENGER)) == ("2", "4")

    earlier = checks(EARLIER, train=6, snapshot=named)
    assert not_asked(earlier)
    assert "as of an earlier day than champion 2" in earlier["promoted"].metadata["reason"].value
    assert "as of an earlier day" in earlier["cost"].metadata["reason"].value
    assert (registry.champion(), registry.alias(CHALLENGER)) == ("2", "4")
    assert registry.version("5").aliases == ()
    ends = [bundle(version).info.train_end_ms or 0 for version in ("1", "5")]
    assert ends[0] - ends[1] == DAY_MS


def test_a_model_that_fails_a_gate_stays_challenger_and_the_run_goes_on(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(get_settings(), *history())
    monkeypatch.setattr(gates, "MOST_ERROR", -1.0)
    done = ran()
    found = checks_of(done)
    assert [name for name, check in found.items() if not check.passed] == ["calibration", "promoted"]
    assert found["calibration"].severity == dg.AssetCheckSeverity.WARN
    assert "calibration: a calibration error of" in found["promoted"].metadata["reason"].value
    assert (registry.champion(), registry.alias(CHALLENGER)) == (None, "1")
    (made,) = done.asset_materializations_for_node("models__fraud_ensemble")
    card = made.metadata["model card"]
    assert isinstance(card, dg.MarkdownMetadataValue)
    assert "| Average precision |" in (card.md_str or "")
