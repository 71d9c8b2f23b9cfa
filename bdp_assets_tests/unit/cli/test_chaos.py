"""`bdp chaos` starts nothing where it could break what is yours."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.operations.chaos import ground
from bdp_assets.settings import get_settings


def test_a_system_of_yours_is_named_and_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    monkeypatch.setenv("BDP_REDIS_URL", "redis://store.example.com/0")
    monkeypatch.setattr(ground.start, "up", lambda *_, **__: pytest.fail("it started"))
    get_settings.cache_clear()
    try:
        done = CliRunner().invoke(app, ["chaos"])
    finally:
        get_settings.cache_clear()

    assert done.exit_code == 1
    assert "BDP_REDIS_URL is set" in done.output
    assert "store.example.com" not in done.output
