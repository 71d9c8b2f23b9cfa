"""Chaos has a platform of its own, whatever the caller's settings say, and refuses to break another."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets.operations.chaos.ground import own_settings, refuse_own_systems
from bdp_assets.runtime import ports, services
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings, variables


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)


@pytest.mark.enable_socket  # What it chooses, it marks.
def test_its_settings_are_defaults_on_ports_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port % 2 == 0)
    monkeypatch.setenv("BDP_KAFKA_BOOTSTRAP", "kafka.example.com:9092")
    monkeypatch.setenv("BDP_LAKE_URL", "s3://bucket/lake")
    monkeypatch.setenv("BDP_REDIS_PORT", "16379")

    own = own_settings(tmp_path)

    assert own.own_systems == []
    assert own.lake == str(tmp_path / "lake")
    names = services.port_settings()
    chosen = {name: getattr(own, name) for name in names}
    assert len(set(chosen.values())) == len(names)
    assert not any(port % 2 for port in chosen.values())
    assert all(port != getattr(Settings(_env_file=None), name) for name, port in chosen.items())  # type: ignore[call-arg]
    assert own.chosen()["BDP_KILL_POINTS"] == str(tmp_path / "kill-points")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BDP_KAFKA_BOOTSTRAP", "kafka.example.com:9092"),
        ("BDP_REDIS_URL", "redis://store.example.com/0"),
        ("BDP_LAKE_URL", "s3://bucket/lake"),
        ("BDP_LAKE_URL", "/srv/lake"),
    ],
)
def test_it_refuses_where_a_system_of_yours_is_named(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    nothing = Settings(_env_file=None)  # type: ignore[call-arg]
    refuse_own_systems(nothing, dotenv)

    dotenv.write_text(f"{name}={value}\n")
    with pytest.raises(Problem, match=name):
        refuse_own_systems(nothing, dotenv)
    dotenv.unlink()
    monkeypatch.setenv(name, value)
    with pytest.raises(Problem, match=name):
        refuse_own_systems(Settings(_env_file=None), dotenv)  # type: ignore[call-arg]
