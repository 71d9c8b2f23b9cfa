"""`bdp decisions`: what is shown, what the exit code says, and what is told where nothing is to be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.columns import to_frame
from bdp_assets.contracts.records import Decision, Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import OnlineStore
from bdp_assets.settings import get_settings, variables
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows
from bdp_assets_tests.unit.decisions.transactions import transaction


@pytest.fixture(autouse=True)
def decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Prediction]]:
    """A home with a champion and what it decided, on a machine where nothing else is up."""
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setattr(OnlineStore, "decision", _away)
    monkeypatch.setenv("BDP_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/bdp")
    monkeypatch.setenv("COLUMNS", "200")
    get_settings.cache_clear()
    rows, _ = tiny_rows(len(CATALOG.names), rows=20, seed=5)
    decider = Decider.load(tiny_bundle(tmp_path / "models" / "champion"))
    records = decider.decide_many(
        [transaction(i) for i in range(20)], np.asarray(rows), range(20), decided_by="api", decided_at_ms=9
    )
    land(tmp_path, records)
    yield records
    get_settings.cache_clear()


def _away(*_: object) -> bytes | None:
    raise StoreUnavailable("the online store is not reachable")


def land(home: Path, records: list[Prediction]) -> None:
    Lake(str(home / "lake")).append("predictions", to_frame(records, Prediction, "ts_ms"))


def run(command: str) -> Result:
    return CliRunner().invoke(app, ["decisions", *command.split()])


def test_a_decision_is_shown_from_the_lake_where_all_else_is_away(decided: list[Prediction]) -> None:
    done = run("show t3 --customer c1")
    assert done.exit_code == 0, done.output
    for text in (repr(decided[3].fraud_probability), decided[3].policy_version, CATALOG.names[0], "lake"):
        assert text in done.output
    told = json.loads(run("show t3 --json").stdout)
    assert told["where"] == "lake"
    assert msgspec.convert(told["record"], Prediction) == decided[3]


def test_replayed_decisions_are_equal(decided: list[Prediction]) -> None:
    one, sample = run("replay t3"), run("replay --sample 15")
    assert (one.exit_code, sample.exit_code) == (0, 0), one.output + sample.output
    assert "1 equal, 0 different, 0 not replayable" in one.output
    assert "15 equal, 0 different, 0 not replayable" in sample.output
    assert decided[3].transaction_id in one.output


def test_one_that_differs_is_the_exit_code(decided: list[Prediction], tmp_path: Path) -> None:
    other = Decision.APPROVE if decided[0].decision is Decision.DECLINE else Decision.DECLINE
    land(tmp_path, [msgspec.structs.replace(decided[0], transaction_id="bent", decision=other)])
    land(tmp_path, [msgspec.structs.replace(decided[0], transaction_id="old", policy_version="older")])
    done = run("replay --sample 100")
    assert done.exit_code == 1, done.output
    assert "20 equal, 1 different, 1 not replayable" in done.output
    [bent, old] = [
        one for one in json.loads(run("replay --sample 100 --json").stdout) if one["outcome"] != "equal"
    ]
    assert {one["transaction_id"]: one["outcome"] for one in (bent, old)} == {
        "bent": "different",
        "old": "not replayable",
    }
    assert run("replay old").exit_code == 0


def test_what_is_nowhere_is_told_with_what_is_away() -> None:
    done = run("show nothing --customer c1")
    assert done.exit_code == 2
    for text in ("No decision of that transaction", "the online store is not reachable", "BDP_POSTGRES_URL"):
        assert text in done.output


def test_two_customers_with_one_id_have_to_be_told_apart(decided: list[Prediction], tmp_path: Path) -> None:
    land(tmp_path, [msgspec.structs.replace(decided[3], customer_id="c2")])
    assert "name one with --customer" in run("replay t3").output
    assert run("replay t3 --customer c2").exit_code == 0


@pytest.mark.parametrize("typed", ["replay", "replay t1 --sample 3"])
def test_it_says_what_to_type(typed: str) -> None:
    done = run(typed)
    assert done.exit_code == 2
    assert "--sample N" in done.output
