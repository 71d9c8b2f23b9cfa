"""Which model serves: in a checkout the champion of BDP_HOME, in a Bento its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets.settings import Settings
from bento import packed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(_env_file=None, home=tmp_path / "home")  # type: ignore[call-arg]
    (settings.models_dir / "champion").mkdir(parents=True)
    return settings


def test_in_a_checkout_the_home_s_champion_serves(settings: Settings) -> None:
    assert packed.models_dir(settings) == settings.models_dir


def test_in_a_bento_its_own_model_serves_whatever_the_home_has(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "PACKED", tmp_path)
    assert packed.models_dir(settings) == tmp_path
