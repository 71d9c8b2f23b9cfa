"""The asset of batch scores: the lake's features through the champion of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.unit.defs.conftest import FIRST, LAST, run, sorted_rows

SCORES = dg.AssetKey(["serving", "batch_scores"])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def features(lake: Lake, instance: dg.DagsterInstance) -> Lake:
    assert run(instance, "history_backfill").success
    return lake


def serve(bundle: Path, version: str) -> Decider:
    bundles = LocalBundles(get_settings().models_dir)
    shutil.copytree(bundle, bundles.path(version))
    bundles.activate(version)
    return Decider.load(bundles.champion)


def test_every_transaction_gets_the_champions_score(
    features: Lake, bundle: Path, instance: dg.DagsterInstance
) -> None:
    champion = serve(bundle, "3")
    result = run(instance, "score_features")
    assert result.success
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True]
    rows = features.read("features").sort("transaction_id")
    scores = features.read("scores").sort("transaction_id")
    assert scores["transaction_id"].equals(rows["transaction_id"])
    expected = champion.ensemble.score(rows.select(CATALOG.names).to_numpy())
    assert scores["fraud_probability"].to_list() == expected.tolist()
    shown = latest(instance).metadata
    assert shown["model version"].value == champion.info.version
    assert "| decline |" in str(shown["decisions"].value)
    assert "data:image/png;base64," in str(shown["scores"].value)


def test_another_champion_replaces_the_scores_of_the_days_it_is_run_for(
    features: Lake, bundle: Path, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    first = serve(bundle, "3").info.version
    assert run(instance, "score_features").success
    second = serve(tiny_bundle(tmp_path / "second", seed=8), "4").info.version
    assert run(instance, "score_features", LAST, LAST).success
    scores = sorted_rows(features, "scores")
    assert scores.filter(event_date=LAST)["model_version"].unique().to_list() == [second]
    assert scores.filter(event_date=FIRST)["model_version"].unique().to_list() == [first]
    assert len(scores) == features.count("features")


def test_without_a_champion_it_says_how_to_get_one(features: Lake, instance: dg.DagsterInstance) -> None:
    result = run(instance, "score_features")
    assert not result.success
    failures = [event for event in result.all_events if event.is_step_failure]
    assert "There is no champion" in str(failures[0].step_failure_data.error)
    assert not features.exists("scores")


def latest(instance: dg.DagsterInstance) -> dg.AssetMaterialization:
    event = instance.get_latest_materialization_event(SCORES)
    assert event is not None
    assert event.asset_materialization is not None
    return event.asset_materialization
