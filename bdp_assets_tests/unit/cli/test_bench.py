"""`bdp bench`: what it lists, and a sentence where it can not run."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.operations.benches import benches
from bdp_assets.runtime.problems import Problem


def test_the_benches_are_listed_with_what_they_measure() -> None:
    done = CliRunner().invoke(app, ["bench", "--list"])
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.output.splitlines()] == [
        "api",
        "features",
        "ingest",
        "leaks",
        "model",
        "online",
        "score",
        "stream",
    ]


def test_folds_that_are_no_days_are_told() -> None:
    done = CliRunner().invoke(app, ["bench", "model", "--folds", "2018-07-25,25.7.2018"])
    assert done.exit_code == 2
    assert "YYYY-MM-DD" in done.output


@pytest.mark.parametrize("arguments", [[], ["features", "--all"]])
def test_one_bench_or_all_of_them(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["bench", *arguments])
    assert done.exit_code == 2
    assert "name one bench, or write --all" in done.output


def test_an_unknown_bench_is_told() -> None:
    done = CliRunner().invoke(app, ["bench", "nope"])
    assert done.exit_code == 1
    assert "no bench called 'nope'" in done.output


def test_without_a_checkout_there_are_no_benches(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"not part of the installed package.*\n.*checkout"):
        benches("suite", project=tmp_path)
