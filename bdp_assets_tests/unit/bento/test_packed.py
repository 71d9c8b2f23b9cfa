"""In a checkout the champion of BDP_HOME serves; in a Bento its own, and its state is elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets.settings import InvalidSettings, Settings
from bento import packed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(_env_file=None, home=tmp_path / "home")  # type: ignore[call-arg]
    (settings.models_dir / "champion").mkdir(parents=True)
    return settings


def test_in_a_checkout_the_home_s_champion_serves(settings: Settings) -> None:
    assert packed.models_dir(settings) == settings.models_dir
    assert packed.checked(settings) is settings
    assert packed.environment() == []


def test_in_a_bento_its_own_model_serves_whatever_the_home_has(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "PACKED", tmp_path)
    assert packed.models_dir(settings) == tmp_path


def test_a_bento_keeps_nothing_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "src"
    (source / "bento" / "packed").mkdir(parents=True)
    monkeypatch.setattr(packed, "PACKED", source / "bento" / "packed")
    inside = Settings(_env_file=None, home=source / ".bdp")  # type: ignore[call-arg]
    outside = Settings(_env_file=None, home=tmp_path / ".bdp")  # type: ignore[call-arg]
    with pytest.raises(InvalidSettings, match="BDP_HOME: it must be an absolute path"):
        packed.checked(inside)
    assert packed.checked(outside) is outside
    assert packed.environment() == [packed.HOME]
