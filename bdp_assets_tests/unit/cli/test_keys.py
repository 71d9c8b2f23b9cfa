"""`bdp keys` from end to end: a key is shown once, and what is kept opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.settings import get_settings
from bento.access.file import load


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def keys(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words])


def test_from_its_making_to_its_end(home: Path) -> None:
    made = keys("create", "shop", "--scope", "predict", "--scope", "label", "--expires-days", "30")
    assert made.exit_code == 0
    first = made.stdout.strip()
    rotated = keys("rotate", "shop", "--overlap-hours", "2").stdout.strip()
    listed = keys("list").output
    kept = (home / "keys.json").read_text()
    assert "shop" in listed
    assert "predict, label" in listed
    for shown in (first, rotated):
        assert shown.startswith("bdp_")
        assert shown.rpartition("_")[2] not in kept + listed
    assert [len(key.secrets) for key in load(home / "keys.json").keys] == [2]
    assert keys("revoke", "shop").exit_code == 0
    assert load(home / "keys.json").keys == ()


def test_a_mounted_file_may_be_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BDP_API_KEYS_FILE", str(home / "mounted.json"))
    assert keys("create", "shop", "--scope", "predict").exit_code == 0
    assert [path.name for path in home.glob("*.json")] == ["mounted.json"]


@pytest.mark.parametrize(
    "words",
    [
        ("create", "shop"),
        ("create", "shop", "--scope", "everything"),
        ("create", "a b", "--scope", "predict"),
        ("rotate", "nobody"),
        ("revoke", "nobody"),
        ("list",),
    ],
)
def test_what_can_not_be_is_said(home: Path, words: tuple[str, ...]) -> None:
    told = keys(*words)
    assert told.exit_code == 2
    assert told.stderr
    assert not (home / "keys.json").exists() or not load(home / "keys.json").keys
