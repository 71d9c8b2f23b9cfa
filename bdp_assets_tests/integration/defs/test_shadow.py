"""The challenger on a real registry (MLflow without a server) and lake, and the same figures typed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import CHALLENGER, Registry
from bdp_assets.contracts.records import Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings
from bdp_assets.training.champions import download, serve_champion
from bdp_assets.training.release import register
from bdp_assets_tests.fakes.scored_lake import START
from bdp_assets_tests.fakes.shadow_lake import land, land_labels, live_decisions
from bdp_assets_tests.fakes.trained_model import trained
from bdp_assets_tests.unit.defs.conftest import judges_itself, run, sorted_rows

DAYS, A_DAY = 12, 20
LAST = START + timedelta(days=DAYS - 1)
SCORES, COMPARISON = (dg.AssetKey(["serving", noun]) for noun in ("shadow_scores", "shadow_comparison"))


@pytest.fixture
def registry(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Versions 1 and 2, and 3 of another catalog; the first is champion."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("BDP_MLFLOW_URI", f"sqlite:///{home}/mlflow.db")
    monkeypatch.setenv("COLUMNS", "200")
    get_settings.cache_clear()
    registry = Registry.of(get_settings())
    for name, other in (("one", {}), ("two", {"rows": 150}), ("three", {"catalog_version": "0123456789ab"})):
        register(trained(home / name, **other), registry)  # type: ignore[arg-type]
    registry.promote("1")
    serve_champion(registry, LocalBundles(get_settings().models_dir))
    yield registry
    get_settings.cache_clear()


@pytest.fixture
def decided(registry: Registry, lake: Lake) -> list[Prediction]:
    """By the champion, landed with the labels of what was fraud."""
    champion = Decider.load(LocalBundles(get_settings().models_dir).champion)
    decided, fraud = live_decisions(champion, days=DAYS, a_day=A_DAY)
    land(lake, decided)
    land_labels(lake, [one for one, is_fraud in zip(decided, fraud, strict=True) if is_fraud])
    return decided


def scored(instance: dg.DagsterInstance) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Metadata of both assets after a run, and the checks that failed."""
    result = run(instance, "score_shadow", START, LAST)
    assert result.success
    assert judges_itself(result)
    shown = [_metadata(instance, key) for key in (SCORES, COMPARISON)]
    failed = [check.check_name for check in result.get_asset_check_evaluations() if not check.passed]
    return shown[0], shown[1], failed


def _metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    return {label: entry.value for label, entry in event.asset_materialization.metadata.items()}


def test_from_no_challenger_to_one_that_becomes_champion(
    registry: Registry, lake: Lake, decided: list[Prediction], instance: dg.DagsterInstance
) -> None:
    scores, comparison, failed = scored(instance)
    assert "no version with the alias challenger" in scores["skipped"]
    assert comparison["skipped"] == scores["skipped"]
    assert failed == []
    assert lake.count("shadow_scores") == 0

    registry.set_alias(CHALLENGER, "2")
    scores, comparison, failed = scored(instance)
    assert (scores["challenger"], scores["scored now"], failed) == ("2", len(decided), [])
    challenger = Decider.load(download(registry, LocalBundles(get_settings().models_dir), "2"))
    rows = {row["transaction_id"]: row for row in lake.read("shadow_scores").iter_rows(named=True)}
    would = {one.transaction_id: challenger.decide_again(one) for one in decided}
    assert {key: row["challenger_score"] for key, row in rows.items()} == {
        key: verdict.probability for key, verdict in would.items()
    }
    changed = sum(would[one.transaction_id].decision is not one.decision for one in decided)
    assert comparison["other decisions"] == changed > 0
    assert comparison["score differences"].startswith("![plot](data:image/png;base64,")
    assert "| average precision |" in comparison["matured labels"]

    typed = CliRunner().invoke(app, ["models", "shadow"])
    assert typed.exit_code == 0, typed.output
    assert f"{len(decided):,} live transactions, {changed:,} with another decision" in typed.output
    assert "realised cost a day" in typed.output

    before = sorted_rows(lake, "shadow_scores")
    assert scored(instance)[0]["scored now"] == 0
    registry.set_alias(CHALLENGER, "3")
    scores, comparison, failed = scored(instance)
    assert failed == ["shadow_scores_same_features"]
    assert "trained on feature catalog 0123456789ab" in scores["skipped"]
    assert comparison["skipped"] == scores["skipped"]
    registry.set_alias(CHALLENGER, "2")
    registry.promote("2")
    scores, _, failed = scored(instance)
    assert "version 2, the last challenger, is champion itself" in scores["skipped"]
    assert failed == []
    assert sorted_rows(lake, "shadow_scores").equals(before)
    assert CliRunner().invoke(app, ["models", "shadow"]).exit_code == 2


def test_a_damaged_challenger_fails_nothing_and_is_told(
    registry: Registry, lake: Lake, home: Path, decided: list[Prediction], instance: dg.DagsterInstance
) -> None:
    registry.set_alias(CHALLENGER, "2")
    for graph in home.glob("**/artifacts/data/*/random_forest.onnx"):
        graph.write_bytes(b"")
    scores, comparison, failed = scored(instance)
    assert failed == ["shadow_scores_same_features"]
    assert "challenger 2 can not score: the registry's copy of model 2" in scores["skipped"]
    assert "random_forest.onnx is corrupt" in scores["skipped"]
    assert "bdp train" in scores["skipped"]
    assert comparison["skipped"] == scores["skipped"]
    assert lake.count("shadow_scores") == 0
    typed = CliRunner().invoke(app, ["models", "shadow"])
    assert typed.exit_code == 2
    assert "challenger 2 can not score" in " ".join(typed.output.split())
