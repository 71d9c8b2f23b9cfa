"""The secret behind hashes of card numbers: one an installation, never a default, never shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.pan_key import PanKeyMissing, pan_key
from bdp_assets.runtime import web
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings, get_settings

CHOSEN = "0123456789abcdef0123456789abcdef"


def local(home: Path) -> Settings:
    return Settings(_env_file=None, home=home)  # type: ignore[call-arg]


def test_it_is_made_once_at_random_for_its_owner_only(tmp_path: Path) -> None:
    settings = local(tmp_path / "a")
    made = pan_key(settings)
    assert pan_key(settings) == made
    assert len(made) == 64
    assert pan_key(local(tmp_path / "b")) != made
    (file,) = settings.secrets_dir.iterdir()
    assert (file.stat().st_mode & 0o777, settings.secrets_dir.stat().st_mode & 0o777) == (0o600, 0o700)


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    settings = local(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: pan_key(settings), range(64)))) == 1


def test_a_chosen_one_wins_and_leaves_no_file(tmp_path: Path) -> None:
    settings = local(tmp_path).model_copy(update={"pan_hash_key": SecretStr(CHOSEN)})
    assert pan_key(settings) == CHOSEN.encode()
    assert not settings.secrets_dir.exists()


@pytest.mark.parametrize("name", ["kafka_bootstrap", "postgres_url", "redis_url", "mlflow_uri", "lake_url"])
def test_beside_a_system_of_ones_own_it_must_be_chosen(tmp_path: Path, name: str) -> None:
    settings = local(tmp_path).model_copy(update={name: "x://somewhere:1"})
    with pytest.raises(PanKeyMissing, match=f"BDP_PAN_HASH_KEY is not set, and BDP_{name.upper()} is"):
        pan_key(settings)
    with pytest.raises(Problem, match="openssl rand"):
        web.require_pan_key(settings, print)
    assert not settings.secrets_dir.exists()


def test_a_lake_in_a_folder_of_this_machine_is_no_such_system(tmp_path: Path) -> None:
    assert pan_key(local(tmp_path).model_copy(update={"lake_url": str(tmp_path / "lake")}))


def test_an_empty_file_is_no_key(tmp_path: Path) -> None:
    settings = local(tmp_path)
    pan_key(settings)
    (settings.secrets_dir / "pan_hash_key").write_text("")
    with pytest.raises(PanKeyMissing, match="is empty"):
        pan_key(settings)


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PanKeyMissing, match="Not a directory"):
        pan_key(local(tmp_path / "file"))


def test_a_short_one_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BDP_PAN_HASH_KEY", "hunter2")
    with pytest.raises(ValidationError, match="at least 32") as refused:
        Settings(_env_file=None)  # type: ignore[call-arg]
    assert "hunter2" not in str(refused.value)


def test_it_reaches_our_processes_and_no_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setenv("BDP_PAN_HASH_KEY", CHOSEN)
    get_settings.cache_clear()
    assert get_settings().chosen()["BDP_PAN_HASH_KEY"] == CHOSEN
    shown = CliRunner().invoke(app, ["settings"], env={"COLUMNS": "400"})
    get_settings.cache_clear()
    assert CHOSEN not in shown.output
    assert "BDP_PAN_HASH_KEY" in shown.output


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BDP_PAN_HASH_KEY", "BDP_PARTITIONS_END", "BDP_REDIS_URL"):
        monkeypatch.setenv(name, "")
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert (settings.pan_hash_key, settings.partitions_end, settings.redis_url) == (None, None, None)
