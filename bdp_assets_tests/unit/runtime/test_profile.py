from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets.runtime import profile


def test_what_is_remembered_is_added_to_or_replaced(tmp_path: Path) -> None:
    assert profile.read(tmp_path) == {}
    profile.remember(tmp_path, {"BDP_HISTORY_FILE": "/data/a=b.csv", "BDP_API_PORT": "1"})
    profile.remember(tmp_path, {"BDP_API_PORT": "2"})
    assert profile.read(tmp_path) == {"BDP_HISTORY_FILE": "/data/a=b.csv", "BDP_API_PORT": "2"}


def test_ports_and_replicas_of_this_shell_are_remembered_and_nothing_else_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDP_KAFKA_CONTROLLER_PORT", "9194")
    monkeypatch.setenv("BDP_API_REPLICAS", "2")
    monkeypatch.setenv("BDP_REDIS_TIMEOUT_MS", "9")
    profile.remember_layout(tmp_path)
    assert profile.read(tmp_path) == {"BDP_KAFKA_CONTROLLER_PORT": "9194", "BDP_API_REPLICAS": "2"}


def test_a_shell_that_sets_none_leaves_what_is_there(tmp_path: Path) -> None:
    profile.remember(tmp_path, {"BDP_API_PORT": "5101"})
    profile.remember_layout(tmp_path)
    assert profile.read(tmp_path) == {"BDP_API_PORT": "5101"}
