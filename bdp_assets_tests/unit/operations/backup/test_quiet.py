"""How the platform comes to rest: the API first, then the wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bdp_assets.operations.backup import quiet
from bdp_assets.operations.verify.lag import Lag
from bdp_assets.runtime.platform import quietly
from bdp_assets.settings import Settings
from bdp_assets_tests.unit.operations.backup.conftest import Silent


def test_nothing_new_comes_while_it_waits(
    settings: Settings, screen: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def waits(_: Settings, seconds: float, told: Callable[[Lag], None]) -> None:
        seen.append(seconds)
        told({"lake": 7, "bdp-labels": 0})

    monkeypatch.setattr(quiet.platform, "down", lambda _, names, **__: seen.append(names))
    monkeypatch.setattr(quiet, "await_drained", waits)
    monkeypatch.setattr(screen, "bars", lambda bars: seen.append([bar.doing for bar in bars]), raising=False)
    quiet.drain(settings, 30, screen, quietly)
    assert seen == [["api"], 30, ["lake 7"]]
