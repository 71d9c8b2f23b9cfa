"""Several workers under one parent: they end together, and nobody ends unheard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

WORKER = """
import pathlib, signal, sys, time
slot, folder, dies = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
def leave(*_):
    (folder / f"drained-{slot}").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
(folder / f"runs-{slot}").touch()
while len(list(folder.glob("runs-*"))) < 3 or dies != str(slot):
    time.sleep(0.01)
sys.exit(int(sys.argv[4]))
"""
PARENT = """
import sys
from bdp_assets.operations.crew import WorkerEnded, run_crew
try:
    run_crew(3, lambda slot: [sys.executable, "-c", sys.argv[1], str(slot), *sys.argv[2:]])
except WorkerEnded as error:
    sys.exit(str(error))
"""


def start(folder: Path, dies: str = "nobody", code: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PARENT, WORKER, str(folder), dies, str(code)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def seen(folder: Path, what: str) -> Sequence[str]:
    return sorted(file.name for file in folder.glob(f"{what}-*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_every_worker(tmp_path: Path, number: signal.Signals) -> None:
    parent = start(tmp_path)
    while len(seen(tmp_path, "runs")) < 3:
        time.sleep(0.01)
    os.kill(parent.pid, number)

    assert parent.wait() == 0, parent.communicate()
    assert seen(tmp_path, "drained") == ["drained-0", "drained-1", "drained-2"]


@pytest.mark.parametrize("code", [0, 2])
def test_a_worker_that_ends_by_itself_is_told_of_and_ends_the_others(tmp_path: Path, code: int) -> None:
    parent = start(tmp_path, dies="1", code=code)
    _, errors = parent.communicate()

    assert parent.returncode == 1
    assert f"slot 1 (exit code {code})" in errors
    assert seen(tmp_path, "drained") == ["drained-0", "drained-2"]
