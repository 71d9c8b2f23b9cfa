"""Orphans are known by their environment, and only this home's are touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from bdp_assets.runtime import orphans

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = (
    "import os, subprocess, sys; del os.environ['BDP_SUPERVISED_HOME'];"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], env={});"
    "print(child.pid, flush=True); child.wait()"
)


@contextmanager
def process(environment: dict[str, str], code: str = SLEEP) -> Iterator[tuple[int, str]]:
    """A Python process; its pid and its first line, which says that it runs."""
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        try:
            yield child.pid, child.stdout.readline().strip()
        finally:
            child.kill()


def pids(home: Path, programs: list[str] | None = None) -> set[int]:
    return {found.pid for found in orphans.find(home, programs)}


def runs(pid: int) -> bool:
    """Whether it has not ended; when its parent collects it is the parent's affair."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_only_marked_processes_of_this_home_are_found(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ours, _ = stack.enter_context(process(orphans.marks(tmp_path, "redis")))
        stack.enter_context(process(orphans.marks(tmp_path / "other", "redis")))
        stack.enter_context(process({}))
        assert pids(tmp_path) == {ours}


def test_only_the_named_programs_are_found(tmp_path: Path) -> None:
    with process(orphans.marks(tmp_path, "api")) as (api, _), process(orphans.marks(tmp_path, "kafka")):
        assert pids(tmp_path, ["api", "mlflow"]) == {api}


def test_children_that_lost_the_mark_are_found_with_their_parent(tmp_path: Path) -> None:
    with process(orphans.marks(tmp_path, "api"), PARENT) as (parent, child):
        assert pids(tmp_path) == {parent, int(child)}
        orphans.end(orphans.find(tmp_path))
        assert not runs(int(child))


def test_the_caller_is_never_an_orphan(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from bdp_assets.runtime import orphans;"
        "print(orphans.find(pathlib.Path(sys.argv[1])))"
    )
    shell = ["sh", "-c", '"$0" "$@"; true', sys.executable, "-c", code, str(tmp_path)]
    environment = {**os.environ, **orphans.marks(tmp_path, "redis")}
    assert subprocess.check_output(shell, env=environment, text=True).strip() == "[]"


@pytest.mark.parametrize("code", [SLEEP, STUBBORN])
def test_they_are_asked_first_and_killed_if_they_stay(tmp_path: Path, code: str) -> None:
    with process(orphans.marks(tmp_path, "redis"), code) as (pid, _):
        orphans.end(orphans.find(tmp_path), patience_s=0.3)
        assert not runs(pid)


def test_the_root_of_a_program_is_the_process_that_its_supervisor_started(tmp_path: Path) -> None:
    marks = orphans.marks(tmp_path, "api")
    parent = PARENT.replace("del os.environ['BDP_SUPERVISED_HOME'];", "").replace(", env={}", "")
    with process(marks, parent) as (root, child), process(orphans.marks(tmp_path, "kafka")) as (kafka, _):
        assert {name: found.pid for name, found in orphans.roots(tmp_path).items()} == {
            "api": root,
            "kafka": kafka,
        }
        assert int(child) in pids(tmp_path)
        orphans.end(orphans.find(tmp_path))
