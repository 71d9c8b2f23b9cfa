"""dagster.yaml and the classes that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from dagster._core.instance.ref import InstanceRef

from bdp_assets.project import PROJECT
from bdp_assets.resources import instance
from bdp_assets.runtime import one_daemon, postgres
from bdp_assets.settings import get_settings

PASSWORD = "only-for-this-test"


@pytest.fixture
def ref(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InstanceRef]:
    monkeypatch.setenv("BDP_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "secrets").mkdir(parents=True)
    (tmp_path / "home" / "secrets" / "postgres").write_text(PASSWORD)
    get_settings.cache_clear()
    yield InstanceRef.from_dir(str(tmp_path / "elsewhere"), config_dir=str(PROJECT))
    get_settings.cache_clear()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """URLs that Dagster's storage would have connected to."""
    urls: list[str] = []

    def connect(self: instance.Storage, url: str, inst_data: object) -> None:
        urls.append(url)

    monkeypatch.setattr(instance.DagsterPostgresStorage, "__init__", connect)
    return urls


def test_it_is_in_the_home_wherever_the_command_runs(ref: InstanceRef) -> None:
    home = get_settings().home
    assert ref.local_artifact_storage.base_dir == str(home / "dagster")
    logs = ref.compute_log_manager
    assert isinstance(logs, instance.ComputeLogs)
    assert logs.get_captured_local_path(["run", "compute_logs", "x"], "err").startswith(str(home / "dagster"))


def test_the_password_comes_from_the_home_and_is_in_no_command_line(
    ref: InstanceRef, connections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "healthy", lambda _settings: True)
    assert ref.storage_data.rehydrate(as_type=instance.Storage)
    port = get_settings().postgres_port
    assert connections == [f"postgresql+psycopg2://bdp:{PASSWORD}@127.0.0.1:{port}/dagster"]
    assert PASSWORD not in str(ref.to_dict())


def test_without_a_server_it_says_what_to_type(
    ref: InstanceRef, connections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "healthy", lambda _settings: False)
    monkeypatch.setattr(instance, "PATIENCE_S", 0.0)
    with pytest.raises(click.ClickException, match="Type `bdp up postgres`"):
        ref.storage_data.rehydrate(as_type=instance.Storage)
    assert connections == []


def test_a_server_of_your_own_is_used_as_it_is(
    ref: InstanceRef, connections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDP_POSTGRES_URL", "postgresql://u:p@db.example/main")
    get_settings.cache_clear()
    ref.storage_data.rehydrate(as_type=instance.Storage)
    assert connections == ["postgresql+psycopg2://u:p@db.example/dagster"]


def test_in_a_dagster_dev_the_platforms_daemon_rests(
    ref: InstanceRef, connections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resting: list[Path] = []
    monkeypatch.setattr(postgres, "healthy", lambda _settings: True)
    monkeypatch.setattr(one_daemon, "rest", resting.append)
    ref.storage_data.rehydrate(as_type=instance.Storage)
    assert resting == []
    monkeypatch.setenv("DAGSTER_IS_DEV_CLI", "1")
    ref.storage_data.rehydrate(as_type=instance.Storage)
    assert resting == [get_settings().home]
