"""Settings: one place, files and variables in the stated order, secrets not shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.settings import Settings, get_settings, variables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def test_env_example_is_what_the_settings_say(in_empty_folder: Path) -> None:
    printed = CliRunner().invoke(app, ["settings", "--env-example"])
    assert printed.exit_code == 0
    assert (ROOT / ".env.example").read_text() == printed.output


def test_every_setting_says_what_it_is() -> None:
    assert [variable.name for variable in variables() if not variable.description] == []


def test_variable_beats_env_file_beats_profile(
    in_empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_empty_folder / ".bdp").mkdir()
    (in_empty_folder / ".bdp" / "profile.env").write_text(
        "BDP_API_PORT=1001\nBDP_REDIS_PORT=1002\nBDP_KAFKA_PORT=1003\n"
    )
    (in_empty_folder / ".env").write_text("BDP_API_PORT=2001\nBDP_REDIS_PORT=2002\n")
    monkeypatch.setenv("BDP_API_PORT", "3001")
    settings = get_settings()
    assert (settings.api_port, settings.redis_port, settings.kafka_port) == (3001, 2002, 1003)


def test_a_value_that_can_not_be_used_is_named_and_not_shown(
    in_empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDP_API_PORT", "hunter2")
    monkeypatch.setenv("BDP_PAN_HASH_KEY", "too-short")
    told = CliRunner().invoke(app, ["settings"])
    assert told.exit_code == 1
    assert "BDP_API_PORT: Input should be a valid integer" in told.output
    assert "BDP_PAN_HASH_KEY: Value should have at least 32" in told.output
    assert "hunter2" not in told.output
    assert "too-short" not in told.output


def test_home_is_absolute(in_empty_folder: Path) -> None:
    assert get_settings().home == in_empty_folder / ".bdp"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@db.example:5432/main", "postgresql://u:p@db.example:5432/dagster"),
        (
            "postgresql://u:p@db.example/main?sslmode=require",
            "postgresql://u:p@db.example/dagster?sslmode=require",
        ),
    ],
)
def test_other_databases_of_your_own_server(url: str, expected: str) -> None:
    assert Settings(postgres_url=url).postgres("dagster") == expected


def test_passwords_are_not_shown(in_empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BDP_POSTGRES_URL", "postgresql://user:hunter2@db/main")
    printed = CliRunner().invoke(app, ["settings"], env={"COLUMNS": "400"})
    assert "hunter2" not in printed.output
    assert "user:***@db" in printed.output
