"""`bdp up | down | status | logs` without a running platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.runtime.services import PROGRAMS
from bdp_assets.settings import Settings, get_settings

NAMES = [program.name for program in PROGRAMS if program.asked_for(Settings())]
"""By default: one API process has no replicas, and monitoring is off."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    for program in PROGRAMS:
        if program.replaced_by:
            monkeypatch.delenv(f"BDP_{program.replaced_by.upper()}", raising=False)
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


def bdp(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def test_status_before_the_first_start_lists_every_program_as_stopped(home: Path) -> None:
    code, text = bdp("status", "--json")
    assert code == 0
    assert {row["name"]: row["state"] for row in json.loads(text)} == dict.fromkeys(NAMES, "stopped")
    code, text = bdp("status")
    assert code == 0
    assert all(name in text for name in NAMES)
    assert "`bdp up` starts the platform" in text


def test_down_before_the_first_start_is_fine_and_makes_nothing(home: Path) -> None:
    assert bdp("down") == (0, "")
    assert bdp("down", "--wipe")[0] == 0
    assert not home.exists()


@pytest.mark.parametrize("command", ["up", "down", "logs", "restart"])
def test_a_mistyped_name_is_answered_with_the_names(home: Path, command: str) -> None:
    code, text = bdp(command, "kafkaa")
    assert code == 1
    assert "kafkaa" in text
    assert all(name in text for name in NAMES)
    assert "Traceback" not in text


def test_a_part_can_not_be_wiped(home: Path) -> None:
    code, text = bdp("down", "--wipe", "redis")
    assert code == 2
    assert "name none" in text


def test_wipe_spares_a_folder_that_is_not_ours(home: Path) -> None:
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    code, text = bdp("down", "--wipe")
    assert code == 1
    assert "not made by the platform" in text
    assert (home / "thesis.txt").exists()


def test_the_api_can_not_start_without_a_model(home: Path) -> None:
    code, text = bdp("up", "api")
    assert code == 1
    assert "no model yet" in text


def test_logs_shows_the_last_lines(home: Path) -> None:
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "redis.log").write_text("".join(f"line {number}\n" for number in range(300)))
    assert bdp("logs", "redis", "-n", "2") == (0, "line 298\nline 299\n")
    code, text = bdp("logs", "mlflow")
    assert code == 0
    assert "written nothing yet" in text
