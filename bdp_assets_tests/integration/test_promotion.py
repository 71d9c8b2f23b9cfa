"""`bdp models compare | promote | use | rollback`, on a real MLflow (no server) and a lake of this test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import FORCED, Registry
from bdp_assets.contracts.columns import event_date
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations import promotion
from bdp_assets.operations.promotion import BY_HAND
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings, get_settings, variables
from bdp_assets.training import gates
from bdp_assets.training.gate import Gate
from bdp_assets.training.release import register
from bdp_assets_tests.fakes.scored_lake import START, append
from bdp_assets_tests.fakes.tiny_bundle import tiny_rows
from bdp_assets_tests.fakes.trained_model import trained

DAYS, A_DAY = 20, 200
GOOD, EQUAL, POOR = "1", "2", "3"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A good model, the same once more, and one that learned from few rows; the first is champion."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for variable in variables():
            patch.delenv(variable.name, raising=False)
        patch.setenv("BDP_HOME", str(home))
        patch.setenv("BDP_MLFLOW_URI", f"sqlite:///{home}/mlflow.db")
        patch.setenv("COLUMNS", "200")
        get_settings.cache_clear()
        for name, rows in (("good", 2_000), ("equal", 2_000), ("poor", 150)):
            register(trained(home / name, rows=rows), Registry.of(get_settings()))
        write(Lake.of(get_settings()))
        yield home
    get_settings.cache_clear()


@pytest.fixture
def registry(base: Path) -> Registry:
    registry = Registry.of(get_settings())
    registry.promote(GOOD)
    return registry


def write(lake: Lake) -> None:
    """Transactions after the models were trained; of the last week no labels are due."""
    matrix, fraud = tiny_rows(len(CATALOG.names), rows=DAYS * A_DAY, seed=11)
    days = [datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=i) for i in range(DAYS)]
    rows = pl.DataFrame(
        {
            "transaction_id": [f"t{number}" for number in range(len(fraud))],
            "customer_id": [f"c{number}" for number in range(len(fraud))],
            "ts_ms": np.repeat([int(day.timestamp() * 1000) for day in days], A_DAY),
            **dict(zip(CATALOG.names, matrix.T, strict=True)),
            "catalog_version": CATALOG.version,
        }
    ).with_columns(event_date("ts_ms"))
    append(lake, "features", rows)
    known = rows.filter(pl.Series(fraud)).select(
        "transaction_id",
        "customer_id",
        is_fraud=pl.lit(value=True),
        known_at_ms=pl.col("ts_ms") + 86_400_000,
    )
    append(lake, "labels", known.with_columns(event_date("known_at_ms")))


def run(*typed: str) -> Result:
    return CliRunner().invoke(app, ["models", *typed])


def test_a_champion_that_came_meanwhile_is_not_replaced(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = promotion.judged

    def judged_as_another_comes(settings: Settings, version: str) -> tuple[Gate, ...]:
        found = judged(settings, version)
        registry.promote(POOR)
        return found

    monkeypatch.setattr(promotion, "judged", judged_as_another_comes)
    refused = run("promote", EQUAL)
    assert refused.exit_code == 2, refused.output
    assert "Another model became champion" in " ".join(refused.output.split())
    assert registry.champion() == POOR


def test_a_worse_version_is_refused_by_name_and_only_a_reason_forces_it(registry: Registry) -> None:
    refused = run("promote", POOR)
    assert refused.exit_code == 2, refused.output
    told = " ".join(refused.output.split())
    assert f"Version {POOR} does not pass the gates, nothing is changed" in told
    assert "average_precision: average precision" in told
    assert "--force REASON" in told
    assert registry.champion() == GOOD
    empty = run("promote", POOR, "--force", " ")
    assert empty.exit_code == 2
    assert "wants a reason" in empty.output
    assert registry.champion() == GOOD
    assert FORCED not in registry.version(POOR).tags

    forced = run("promote", POOR, "--force", "the others leak")
    assert forced.exit_code == 0, forced.output
    assert registry.champion() == POOR
    assert registry.version(POOR).tags[FORCED] == "the others leak"
    assert "the others leak" in run("show", POOR).output

    assert run("rollback").exit_code == 0
    assert registry.champion() == GOOD
    assert LocalBundles(get_settings().models_dir).active() == GOOD


def test_an_equal_version_passes_all_gates(registry: Registry) -> None:
    done = run("promote", EQUAL)
    assert done.exit_code == 0, done.output
    assert f"Version {EQUAL} is champion" in done.output
    for words in ("is not worse than champion 1's", "the same bits in 1, 7, 2,000, 100,000", "nothing yet"):
        assert words in done.output
    assert (registry.champion(), registry.predecessor()) == (EQUAL, GOOD)
    assert FORCED not in registry.version(EQUAL).tags


def test_with_too_few_frauds_even_an_equal_version_is_refused(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "LEAST_FRAUDS", 1_000)
    done = run("promote", EQUAL)
    assert done.exit_code == 2, done.output
    told = " ".join(done.output.split())
    assert "132 frauds in the test rows are too few to compare with champion 1, at least 1000" in told
    assert "--force REASON" in told
    assert registry.champion() == GOOD


def test_use_asks_no_gate_and_says_so(registry: Registry) -> None:
    done = run("use", POOR)
    assert done.exit_code == 0, done.output
    assert registry.champion() == POOR
    assert registry.version(POOR).tags[FORCED] == BY_HAND


@pytest.mark.usefixtures("registry")
def test_versions_are_compared_on_what_neither_learned_from() -> None:
    done = run("compare", POOR)
    assert done.exit_code == 0, done.output
    # 20 January is the last day: a week for the labels, a week of test.
    assert "2026-01-07 to 2026-01-13" in done.output
    assert f"{7 * A_DAY:,} transactions" in done.output
    assert f"version {GOOD}" in done.output
    row = next(line for line in done.output.splitlines() if "average precision" in line)
    one, other, difference = (float(cell) for cell in row.replace("│", " ").split()[2:5])
    assert difference == pytest.approx(one - other, abs=2e-4)
    assert difference < 0
    same = run("compare", EQUAL, GOOD)
    assert same.output.count("+0.0000 to +0.0000") == 3
    assert "realised cost a day" in same.output


def test_before_labels_are_due_there_is_nothing_to_judge_by(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDP_LABEL_DELAY_DAYS", "30")
    get_settings.cache_clear()
    done = run("promote", EQUAL)
    assert done.exit_code == 2
    assert "nothing to judge by" in " ".join(done.output.split())
    assert registry.champion() == GOOD
    monkeypatch.undo()
    get_settings.cache_clear()


def test_a_version_that_is_not_there_is_told() -> None:
    asked = (["show"], ["compare"], ["promote"], ["promote", "--force", "why not"], ["fetch"])
    for (command, *options), version in product(asked, ("99", "abc")):
        done = run(command, version, *options)
        assert done.exit_code == 2
        told = " ".join(done.output.split())
        assert told == (
            f"there is no version {version} of fraud_ensemble: `bdp models list` shows those there are"
        )
