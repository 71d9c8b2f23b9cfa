"""The doctor's findings: what is seen, what to do, and the exit code."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.registry import CHALLENGER, CHAMPION, DIGEST
from bdp_assets.decisions.local_policies import SERVING, LocalPolicies
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations import doctor
from bdp_assets.operations.doctor import Finding, contents, machine
from bdp_assets.operations.doctor.finding import Status
from bdp_assets.runtime import haproxy, java
from bdp_assets.scoring.bundle import MANIFEST, REGISTRATION, Bundle, Registration
from bdp_assets.settings import Settings, get_settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

GIB = 1024**3


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_java_that_is_too_old_is_a_failure_unless_kafka_is_your_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "find_java", lambda: "/opt/java11/bin/java")
    monkeypatch.setattr(java, "version", lambda _java: 11)
    found = next(machine.broker_needs(settings))
    assert (found.name, found.status) == ("java", "fail")
    assert "bdp setup" in found.do
    own = settings.model_copy(update={"kafka_bootstrap": "broker:9092"})
    assert only(machine.broker_needs(own)).status == "ok"


def test_haproxy_is_missed_only_where_the_api_has_replicas(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haproxy, "binary", lambda: None)
    assert list(machine.replicas_need(settings)) == []
    two = settings.model_copy(update={"api_replicas": 2})
    found = only(machine.replicas_need(two))
    assert (found.name, found.status) == ("haproxy", "fail")
    assert "apt-get install haproxy" in found.do
    monkeypatch.setattr(haproxy, "binary", lambda: Path("/usr/sbin/haproxy"))
    assert only(machine.replicas_need(two)).status == "ok"


@pytest.mark.parametrize(("free", "status"), [(GIB, "fail"), (3 * GIB, "warn"), (9 * GIB, "ok")])
def test_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, status: Status) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert only(machine.disk(settings)).status == status


def test_a_package_that_is_not_as_locked_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        machine, "_locked", lambda: {"polars": ["1.0.0"], "numpy": [machine._installed("numpy")]}
    )
    found = only(machine.packages(settings))
    assert found.status == "warn"
    assert "polars" in found.what
    assert "numpy" not in found.what


def test_the_lock_names_every_key_package() -> None:
    assert machine._locked().keys() >= set(machine._KEY_PACKAGES)


@pytest.mark.enable_socket
def test_a_taken_port_of_a_program_that_does_not_run(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = settings.model_copy(update={"mlflow_port": server.getsockname()[1]})
        found = [finding for finding in machine.programs(taken) if "of mlflow" in finding.what]
    assert only(iter(found)).status == "fail"
    assert "BDP_MLFLOW_PORT" in found[0].do


def test_the_bundle_must_be_whole_and_made_for_these_features(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert only(contents.bundle(settings)).status == "warn"
    place = tiny_bundle(settings.models_dir / "champion")
    assert only(contents.bundle(settings)).status == "ok"

    monkeypatch.setattr(contents, "CATALOG", SimpleNamespace(version="ffffffffffff"))
    found = only(contents.bundle(settings))
    assert found.status == "fail"
    assert CATALOG.version in found.what
    assert "ffffffffffff" in found.what

    policies = LocalPolicies.beside(place, Bundle.read(place))
    policies.folder.mkdir(parents=True)
    (policies.folder / SERVING).write_text("{}")
    found = only(contents.bundle(settings))
    assert found.status == "fail"
    assert "bdp policy use" in found.what

    (place / "policy.json").write_text("{}")
    found = only(contents.bundle(settings))
    assert found.status == "fail"
    assert "policy.json" in found.what


def test_a_manifest_that_is_not_the_registered_one_is_told(settings: Settings) -> None:
    place = tiny_bundle(settings.models_dir / "champion")
    registration = Registration("fraud", "1", Bundle.read(place).info.digest)
    (place / REGISTRATION).write_bytes(msgspec.json.encode(registration))
    assert only(contents.bundle(settings)).status == "ok"
    (place / MANIFEST).write_bytes((place / MANIFEST).read_bytes().replace(b"0.9", b"0.1", 1))
    found = only(contents.bundle(settings))
    assert found.status == "fail"
    assert "`bdp models fetch 1`" in found.what


@pytest.mark.parametrize(
    ("registered", "serves", "status"),
    [("2", "2", "ok"), ("2", None, "ok"), ("2", "3", "warn"), (None, None, "warn")],
)
def test_a_machine_that_serves_another_version_than_the_champion_is_told(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    registered: str | None,
    serves: str | None,
    status: Status,
) -> None:
    registry = SimpleNamespace(champion=lambda: registered)
    monkeypatch.setattr(contents.Registry, "of", lambda _settings: registry)
    if serves is not None:
        tiny_bundle(settings.models_dir / serves)
        (settings.models_dir / "champion").symlink_to(serves)

    found = only(contents.champion(settings))

    assert found.status == status
    if (registered, serves) == ("2", "3"):
        assert "version 2, but this machine serves 3" in found.what
        assert "bdp models fetch" in found.do


@pytest.mark.parametrize("cut", ["random_forest.onnx", "policy.json", MANIFEST])
def test_what_the_registry_keeps_of_the_challenger_is_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cut: str
) -> None:
    kept = {version: tiny_bundle(tmp_path / version) for version in "12"}
    tags = {DIGEST: Bundle.read(kept["1"]).info.digest}
    registry = SimpleNamespace(
        model_name="fraud",
        alias={CHAMPION: "1", CHALLENGER: "2"}.get,
        version=lambda version: SimpleNamespace(version=version, tags=tags),
        fetch=lambda version, folder: shutil.copytree(kept[version], folder, dirs_exist_ok=True),
    )
    monkeypatch.setattr(contents.Registry, "of", lambda _settings: registry)
    assert [(one.name, one.status) for one in contents.copies(settings)] == [
        ("champion's copy", "ok"),
        ("challenger's copy", "ok"),
    ]

    content = (kept["2"] / cut).read_bytes()
    (kept["2"] / cut).write_bytes(content[: len(content) // 2])
    champion, challenger = contents.copies(settings)
    assert (champion.status, challenger.status) == ("ok", "fail")
    assert "the registry's copy of model 2 can not be used" in challenger.what
    assert not settings.models_dir.exists()

    monkeypatch.setattr(contents, "CATALOG", SimpleNamespace(version="ffffffffffff"))
    champion, _ = contents.copies(settings)
    assert champion.status == "warn"
    assert "can not score" in champion.what


@pytest.mark.parametrize(("statuses", "code"), [(["ok", "warn"], 0), (["ok", "fail", "ok"], 1)])
def test_the_exit_code_tells(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, statuses: list[Status], code: int
) -> None:
    findings = [Finding("thing", status, "seen", "do [this]", 1.5) for status in statuses]
    monkeypatch.setattr(doctor, "examine", lambda _settings: iter(findings))
    get_settings.cache_clear()
    told = CliRunner().invoke(app, ["doctor"])
    assert told.exit_code == code
    assert told.output.count("do [this]") == len(statuses)
    machine_readable = CliRunner().invoke(app, ["doctor", "--json"])
    assert machine_readable.exit_code == code
    assert [finding["status"] for finding in json.loads(machine_readable.output)] == statuses
