"""`bdp policy`: tuned, shown, tried and put back, on a lake and a model of this test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.policy import make_policy
from bdp_assets.settings import get_settings, variables
from bdp_assets_tests.fakes.scored_lake import scored_lake
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

OWN = make_policy(0.2, 0.6)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


@pytest.fixture
def model(home: Path) -> Path:
    """A champion that never was in a registry."""
    tiny_bundle(home / "models" / "1", policy=OWN)
    champion = home / "models" / "champion"
    champion.symlink_to("1")
    return champion


@pytest.fixture
def history(model: Path, home: Path) -> Path:
    """Ten days whose labels are due."""
    scored_lake(home / "lake", days=17)
    return model


def run(*typed: str) -> Result:
    return CliRunner().invoke(app, ["policy", *typed])


def shown(*typed: str) -> dict[str, object]:
    done = run("show", "--json", *typed)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_models_own_policy_is_shown(model: Path) -> None:
    found = shown()
    assert found["policy"] == {"review_at": 0.2, "decline_at": 0.6, "version": OWN.version, "costs": None}
    assert (found["serves"], found["since_ms"], found["tuned"]) == (True, None, "training")
    done = run("show")
    assert "review at 20.00%, decline at 60.00% and above" in done.stdout
    assert "as long as its model" in done.stdout


def test_tuned_shown_tried_and_put_back(history: Path) -> None:
    costs = ["--review-cost", "2.50", "--false-decline-cost", "40", "--reviews-per-day", "3"]
    dry = run("tune", *costs, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "600 transactions on 10 days" in dry.stdout
    assert f"Policy {OWN.version} still serves" in dry.stdout
    assert Decider.load(history).policy == OWN

    tuned = run("tune", *costs)
    assert tuned.exit_code == 0, tuned.output
    assert "a review 2.50, a false decline 40.00, at most 3 reviews a day" in tuned.stdout
    assert f"bdp policy use {OWN.version}" in tuned.stdout
    assert f"serving {OWN.version} asks for" in tuned.stdout
    assert tuned.stdout.count("more than there is time for") == 1
    assert "take it up by themselves" in tuned.stdout
    policy = Decider.load(history).policy
    found = shown()
    assert found["policy"]["costs"] == {  # type: ignore[index]
        "review_minor": 250,
        "false_decline_minor": 4_000,
        "reviews_per_day": 3,
    }
    assert (found["serves"], found["tuned"]) == (True, "by hand")
    assert found["tuning"]["transactions"] == 600  # type: ignore[index]
    assert found["versions"] == [OWN.version, policy.version]
    assert "by hand" in run("show").stdout

    again = run("tune")  # what is not said stays as it is
    assert f"Policy {policy.version} serves already" in again.stdout

    tried = json.loads(run("backtest", "--policy", OWN.version, "--json").stdout)
    assert {name: one["version"] for name, one in tried["policies"].items()} == {
        "serving": policy.version,
        "candidate": OWN.version,
    }
    serving, candidate = tried["policies"]["serving"], tried["policies"]["candidate"]
    assert serving["expected_cost_minor"] < candidate["expected_cost_minor"]
    assert serving["reviews_per_day"] <= 3
    assert len(serving["by_day"]) == tried["days"] == 10

    back = run("use", OWN.version)
    assert back.exit_code == 0, back.output
    assert Decider.load(history).policy == OWN
    assert shown()["since_ms"] is not None
    assert shown("--version", policy.version)["serves"] is False


def test_a_back_test_shows_each_decision_and_day(history: Path) -> None:
    done = run("backtest", "--review-at", "0.3", "--decline-at", "0.9", "--days", "3")
    assert done.exit_code == 0, done.output
    for words in (
        "review at 30.00%, decline at 90.00%",
        "realised cost a day",
        "by day",
        "2026-01-10",
        "approve",
    ):
        assert words in done.stdout
    assert "2026-01-07" not in done.stdout
    alone = json.loads(run("backtest", "--json").stdout)
    assert list(alone["policies"]) == ["serving"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("tune --review-cost 5.001", "2 decimal places"),
        ("tune --review-cost=-5", "digits with a point"),
        ("tune --false-decline-cost much", "digits with a point"),
        ("tune --reviews-per-day=-1", "greater than or equal to 0"),
        ("tune --reviews-per-day 100000000000000000000", "less than or equal to 1000000"),
        ("tune --days 0", "greater than or equal to 1"),
        ("backtest --review-at 0.5", "--review-at and --decline-at together"),
        ("backtest --review-at 0.5 --decline-at 0.6 --policy x", "or nothing"),
        ("backtest --review-at 0.5 --decline-at 0.4", "can not be above"),
        ("backtest --review-at nan --decline-at 0.4", "than or equal to"),
        ("backtest --review-at 20 --decline-at 80", "less than or equal to 1"),
        ("backtest --review-at 0.2 --decline-at 80", "less than or equal to 1"),
        ("backtest --policy ffffffffffff", "bdp policy show"),
        ("show --version ffffffffffff", "bdp policy show"),
        ("use ffffffffffff", "bdp policy show"),
        ("tune", "no table enriched"),
    ],
)
@pytest.mark.usefixtures("model")
def test_it_says_what_is_wrong(typed: str, says: str) -> None:
    done = run(*typed.split())
    assert done.exit_code == 2, done.output
    assert says in done.output


@pytest.mark.parametrize("typed", ["show", "tune", "backtest", "use ffffffffffff"])
def test_without_a_model_it_says_so(typed: str) -> None:
    done = run(*typed.split())
    assert done.exit_code == 2
    assert "bdp train" in done.output


def test_without_labels_nothing_is_tuned(model: Path, home: Path) -> None:
    scored_lake(home / "lake", days=17, labels=False)
    done = run("tune")
    assert done.exit_code == 2
    assert "no label is known of the 600 transactions" in done.output
    assert not (home / "models" / "policies").exists()


def test_a_damaged_policy_is_told_and_can_be_left(history: Path, home: Path) -> None:
    run("tune", "--reviews-per-day", "0")
    damaged = home / "models" / "policies" / Decider.load(history).info.digest
    (damaged / f"{Decider.load(history).policy.version}.json").write_text("{}")
    for typed in ("show", "tune", "backtest"):
        done = run(typed)
        assert done.exit_code == 2
        assert f"bdp policy use {OWN.version}" in done.output
    assert run("use", OWN.version).exit_code == 0
    assert run("tune", "--reviews-per-day", "0").exit_code == 0
    assert Decider.load(history).policy.costs.reviews_per_day == 0
