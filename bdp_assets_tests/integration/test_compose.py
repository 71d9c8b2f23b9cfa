"""What compose would read and start, read and started by the real programs, as far as there is no Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as NoConnection

from bdp_assets.clients.kafka.topics import topic_ids
from bdp_assets.contracts.topics import TOPICS
from bdp_assets.operations import migrations
from bdp_assets.runtime import haproxy, jars, java, valkey
from bdp_assets_tests import compose
from bdp_assets_tests.integration.conftest import Platform, free_ports

CI = os.environ.get("CI") == "true"
CHECK = compose.FOLDER / "check"


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compose project's own loader, built; Go keeps what it got and built for the next time."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    program = tmp_path_factory.mktemp("check") / "compose-check"
    command = ["go", "build", "-mod=readonly", "-o", str(program), "."]
    built = subprocess.run(command, cwd=CHECK, capture_output=True, text=True, check=False)
    if built.returncode and not CI:
        pytest.skip(f"Go could not build it (no network?): {built.stderr[-500:]}")
    assert not built.returncode, built.stderr
    return program


def load(check: Path, values: dict[str, str], files: list[Path]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **values}
    return subprocess.run(
        [check, *files], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("files", [compose.FILES[:1], compose.FILES], ids=["platform", "with monitoring"])
def test_the_files_load_and_nothing_starts_without_one_of_the_values(check: Path, files: list[Path]) -> None:
    values = compose.some_values()
    loaded = load(check, values, files)
    assert loaded.returncode == 0, loaded.stderr
    asked = {name for name in values if any(f"{{{name}:?" in file.read_text() for file in files)}
    for name in asked:
        for missing in ({}, {name: ""}):
            refused = load(check, {k: v for k, v in values.items() if k != name} | missing, files)
            assert refused.returncode == 1
            assert (
                f"required variable {name} is missing a value: set it in deploy/compose/.env"
                in refused.stderr
            )


def test_a_wrong_file_does_not_load(check: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text("services: {a: {image: b, depend_on: [c]}}\n")
    assert "depend_on" in load(check, {}, [wrong]).stderr


def test_haproxy_takes_its_file() -> None:
    if haproxy.binary() is None:
        assert not CI, ".ci/run installs haproxy"
        pytest.skip("haproxy is not installed")
    file = compose.FOLDER / "haproxy" / "haproxy.cfg"
    subprocess.run([haproxy.required(), "-c", "-f", file], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["kafka-controller", "kafka"])
def test_kafkas_own_start_in_a_container_takes_the_variables_and_formats(name: str, tmp_path: Path) -> None:
    """The class that the image's start-up runs is in Kafka's jar."""
    binary = java.find_java()
    if binary is None or not jars.LIBS.exists():
        assert not CI, "make setup gets both"
        pytest.skip("no Java, or no jars of Kafka")
    for folder in ("default", "mounted", "final"):
        (tmp_path / folder).mkdir()
    for file in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (tmp_path / "default" / file).touch()
    folders = [f"--{folder}-configs-dir={tmp_path / folder}" for folder in ("default", "mounted", "final")]
    given = compose.environment(compose.services(compose.some_values())[name])
    environment = {**given, "KAFKA_LOG_DIRS": str(tmp_path / "data"), "CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw"}
    wrapper = [binary, "-XX:TieredStopAtLevel=1", "-cp", f"{jars.LIBS}/*", "kafka.docker.KafkaDockerWrapper"]
    done = subprocess.run(
        [*wrapper, "setup", *folders], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"node.id={given['KAFKA_NODE_ID']}" in (tmp_path / "data" / "meta.properties").read_text()


def test_the_online_store_starts_by_the_composed_command_and_wants_the_password(tmp_path: Path) -> None:
    service = compose.services(compose.some_values())["redis"]
    socket = tmp_path / "socket"
    text = (compose.FOLDER / "valkey" / "valkey.conf").read_text()
    (tmp_path / "valkey.conf").write_text(text.replace("port 6379", f"port 0\nunixsocket {socket}"))
    (tmp_path / "valkey-server").symlink_to(valkey.binary())
    command = [*service["entrypoint"], service["command"][0].replace("/etc/valkey.conf", "valkey.conf")]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **compose.environment(service)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as server:
        try:
            password = environment["REDISCLI_AUTH"]
            assert until_answers(Redis(unix_socket_path=str(socket), password=password))
            with pytest.raises(AuthenticationError):
                Redis(unix_socket_path=str(socket)).ping()
            shown = Path(f"/proc/{server.pid}/cmdline").read_text()
            assert "valkey-server" in shown
            assert password not in shown
        finally:
            server.terminate()


def until_answers(store: Redis) -> bool:
    for _ in range(200):
        try:
            return bool(store.ping())
        except NoConnection:
            time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the image has at /opt/bdp: the wheel, which carries all that is read."""
    built, folder = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("image") / "opt" / "bdp"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", built],
        cwd=compose.PROJECT,
        check=True,
        capture_output=True,
    )
    install = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--target", folder]
    subprocess.run([sys.executable, "-m", *install, *built.glob("*.whl")], check=True)
    return folder


@pytest.fixture
def container(image: Path, platform: Platform, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a container of ours, with the services of the tests in place of its neighbours."""
    settings = platform.settings
    ours = compose.environment(compose.programs_of_ours()["dagster-code"])
    here = {
        "BDP_HOME": str(tmp_path / "home"),
        "BDP_POSTGRES_URL": settings.postgres(),
        "BDP_REDIS_URL": settings.redis,
        "BDP_KAFKA_BOOTSTRAP": settings.kafka,
        "BDP_LISTEN": "127.0.0.1",
        "BDP_DAGSTER_CODE_PORT": str(free_ports()["dagster_port"]),
        "DAGSTER_HOME": str(tmp_path / "home" / "dagster"),
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
        "HOME": str(tmp_path),
        "PYTHONPATH": str(image),
        "PATH": f"{image}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    yield ours | here
    migrations.downgrade(settings, "base")


@pytest.fixture
def code_server(image: Path, container: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = compose.programs_of_ours()["dagster-code"]["command"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=image, env=container, stdout=log, stderr=log) as process,
    ):
        yield process
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.mark.services
@pytest.mark.drill
def test_the_image_has_all_that_its_commands_need(
    image: Path, container: dict[str, str], platform: Platform, code_server: subprocess.Popen[bytes]
) -> None:
    """Migrations, topics and the code location run from the wheel alone."""
    programs = compose.programs_of_ours()
    where = [
        sys.executable,
        "-c",
        "import bdp_assets.settings as s, bento; print(s.__file__, bento.__file__)",
    ]
    shown = subprocess.check_output(where, cwd=image, env=container, text=True)
    assert all(Path(file).is_relative_to(image) for file in shown.split())
    for name in ("migrations", "topics"):
        subprocess.run(programs[name]["command"], cwd=image, env=container, check=True)
    assert topic_ids(platform.settings, list(TOPICS)).keys() == TOPICS.keys()
    healthy = programs["dagster-code"]["healthcheck"]["test"][1:]
    for _ in range(60):
        if subprocess.run(healthy, cwd=image, env=container, check=False).returncode == 0:
            break
        assert code_server.poll() is None, (Path(container["HOME"]) / "log").read_text()
        time.sleep(1)
    else:
        pytest.fail((Path(container["HOME"]) / "log").read_text())
