"""`bdp simulate`: files where they belong, and a sentence when something is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.runtime.home import prepare
from bdp_assets.settings import get_settings, variables


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


def test_history_is_written_to_the_home(home: Path) -> None:
    options = ["--days", "2", "--end", "2026-03-01", "--customers", "30", "--merchants", "20"]
    done = CliRunner().invoke(app, ["simulate", "history", *options])
    assert done.exit_code == 0, done.output
    written = pl.read_parquet(home / "history" / "transactions.parquet")
    assert f"{written.height} transactions" in done.output
    assert set(written["timestamp"].str.slice(0, 10)) == {"2026-02-27", "2026-02-28"}
    assert (home / "history" / "labels.parquet").exists()
    prepare(home)  # it can become the platform's


def test_traffic_without_a_history_says_what_to_run() -> None:
    done = CliRunner().invoke(app, ["simulate", "traffic", "--seconds", "1"])
    assert done.exit_code == 2
    assert "run `bdp simulate history` first" in done.output.replace("\n", " ")
