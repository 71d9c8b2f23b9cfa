"""One program without the supervisor: it becomes what the supervisor would start, where its settings say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bdp_assets.runtime import foreground, services
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


def test_a_program_that_a_url_replaces_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "home", redis_url="redis://elsewhere:1")  # type: ignore[call-arg]
    with pytest.raises(Problem, match="BDP_REDIS_URL"):
        foreground.become(settings, "redis", print)
    assert not settings.home.exists()


def test_the_process_becomes_the_program_with_its_environment(tmp_path: Path) -> None:
    code = """
import sys
from dataclasses import replace
from pathlib import Path
from bdp_assets.runtime import foreground, services
from bdp_assets.settings import Settings
show = [sys.executable, "-c", "import os; print(os.getpid(), os.environ['BDP_HOME'], os.environ['X'])"]
program = replace(services.find("labels"), command=lambda _: show, environment=lambda _: {"X": "own"})
services.find = lambda name: program
print(__import__("os").getpid(), flush=True)
foreground.become(Settings(home=Path(sys.argv[1])), "labels", print)
"""
    shown = subprocess.check_output([sys.executable, "-c", code, str(tmp_path / "home")], text=True).split()
    assert shown == [shown[0], shown[0], str(tmp_path / "home"), "own"]


def test_programs_listen_where_the_settings_say() -> None:
    for address in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - what a container says
        settings = Settings(_env_file=None, listen=address)  # type: ignore[call-arg]
        for name in ("api", "api-1", "mlflow", "dagster-code", "dagster-webserver"):
            assert address in services.find(name).command(settings)
