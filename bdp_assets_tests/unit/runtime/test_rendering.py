"""Configurations that we write are read back by those who get them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor.options import ServerOptions

from bdp_assets.runtime import api, haproxy, kafka, launch, orphans, postgres, supervisord_conf, valkey, web
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.services import PROGRAMS
from bdp_assets.settings import Settings


@pytest.mark.parametrize("folder", ["plain", "with space", "100% sure", "it's"])
def test_supervisord_reads_every_program_back(tmp_path: Path, folder: str) -> None:
    home = tmp_path / folder
    for part in ("logs", "run"):
        (home / part).mkdir(parents=True)
    configuration = home / "supervisord.conf"
    configuration.write_text(supervisord_conf.render(home, PROGRAMS, home / "s.sock"))
    options = ServerOptions()
    options.realize(["-n", "-c", str(configuration)])
    programs = {group.name: group.process_configs[0] for group in options.process_group_configs}
    assert programs.keys() == {program.name for program in PROGRAMS}
    for name, program in programs.items():
        assert str(supervisord_conf.program_file(home, name)) in shlex.split(program.command)
        assert not program.autostart
        assert Path(program.stdout_logfile) == home / "logs" / f"{name}.log"


variables = st.dictionaries(
    st.from_regex(r"BDP_[A-Z]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
)


@given(variables)
def test_a_program_gets_the_very_environment_that_was_described(environment: dict[str, str]) -> None:
    described = json.loads(launch.describe(["x"], environment))
    assert (described["command"], described["environment"]) == (["x"], environment)


def test_launch_becomes_the_program_without_the_starters_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = "import json, os; print(json.dumps({n: v for n, v in os.environ.items() if n.startswith('BDP_')}))"
    file = tmp_path / "program.json"
    file.write_text(launch.describe([sys.executable, "-c", show], {"BDP_HOME": 'a "b" ; c % d'}))
    monkeypatch.setenv("BDP_REDIS_URL", "left over from an earlier start")
    shown = subprocess.check_output([sys.executable, "-m", launch.__name__, str(file)], text=True)
    assert json.loads(shown) == {"BDP_HOME": 'a "b" ; c % d'}


def test_a_program_that_must_be_alone_ends_what_its_killed_self_left(tmp_path: Path) -> None:
    marks = orphans.marks(tmp_path, "api")
    sleep = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
    for alone in (False, True):
        with subprocess.Popen(sleep, env={**os.environ, **marks}, stdout=subprocess.PIPE, text=True) as left:
            assert left.stdout is not None
            left.stdout.readline()
            file = tmp_path / "api.json"
            file.write_text(launch.describe(["true"], marks, alone=alone))
            subprocess.run([sys.executable, "-m", launch.__name__, str(file)], check=True)
            assert (left.poll() is not None) == alone
            left.kill()


def test_every_server_listens_on_loopback_only() -> None:
    settings = Settings(home=Path("/h"), kafka_port=1111, kafka_controller_port=2222, redis_port=3333)
    broker = dict(line.split("=", 1) for line in kafka.render(settings).splitlines())
    assert broker["listeners"] == "PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222"
    assert broker["auto.create.topics.enable"] == "false"
    copies = {value for name, value in broker.items() if name.endswith(("replication.factor", "min.isr"))}
    assert copies == {"1"}
    store = valkey.command(settings)
    assert store[store.index("--bind") + 1] == "127.0.0.1"
    assert store[store.index("--appendonly") + 1] == "yes"
    for command in (web.mlflow(settings), api.command(settings)):
        assert command[command.index("--host") + 1] == "127.0.0.1"


@pytest.mark.skipif(haproxy.binary() is None, reason="haproxy is not installed")
@pytest.mark.parametrize("folder", ["plain", "with space", "100% sure", "it's", 'a "b" $c \\d'])
def test_haproxy_takes_what_we_write(tmp_path: Path, folder: str) -> None:
    settings = Settings(home=tmp_path / folder, api_port=1111, api_replicas=3, api_replica_port=2222)
    (settings.home / "run").mkdir(parents=True)
    haproxy.prepare(settings, print)
    checked = subprocess.run([*haproxy.command(settings), "-c"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


def test_haproxy_stands_on_loopback_before_every_replica() -> None:
    settings = Settings(home=Path("/h"), api_port=1111, api_replicas=3, api_replica_port=2222)
    text = haproxy.render(settings)
    assert re.findall(r"bind (\S+)", text) == ["127.0.0.1:1111"]
    assert re.findall(r"server (\d \S+)", text) == [f"{n} 127.0.0.1:{2221 + n}" for n in (1, 2, 3)]


def test_without_haproxy_there_are_no_replicas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(haproxy, "binary", lambda: None)
    with pytest.raises(Problem, match="haproxy is not installed") as told:
        haproxy.prepare(Settings(home=tmp_path, api_replicas=2), print)
    assert "BDP_API_REPLICAS=1" in told.value.do
    assert api.command(Settings(home=tmp_path, api_replicas=1)), "one needs none"


def test_postgres_databases_are_those_that_the_settings_address() -> None:
    assert all(Settings().postgres(name).endswith(f"/{name}") for name in postgres.DATABASES)


def test_mlflow_still_reads_the_variables_that_we_set() -> None:
    package = find_spec("mlflow")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent
    files = (folder / "server" / "constants.py", folder / "environment_variables.py")
    text = "".join(file.read_text() for file in files)
    for name in web.mlflow_environment(Settings()):
        assert re.search(rf'"{name}"', text), f"MLflow no longer knows {name}"


def test_no_cluster_id_looks_like_an_option() -> None:
    assert not any(kafka._cluster_id().startswith("-") for _ in range(2_000))
